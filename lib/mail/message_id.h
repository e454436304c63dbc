// message_id: making a Message-ID, and reading lists of them (References, In-Reply-To).
#pragma once

#include "base/clock.h"

#include <string>
#include <string_view>
#include <vector>

namespace mail {

// "<20261122205019.4bXY12@host>" as Postfix makes it: UTC time and the queue id, unique on this host for ever.
std::string make_message_id(base::Wall when, std::string_view queue_id, std::string_view host);
// "<…>" each, space and comments dropped, in order.
std::vector<std::string> parse_message_ids(std::string_view value, size_t limit = 1000);

} // namespace mail
