// digest: those header fields of a message that programs list, sort and search by, as they are in the message. They are noted beside the
// mailbox (store::Notes), so that one look into the file answers all later questions for them.
#pragma once

#include "store/store.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace imapd {

// Whether all that a message has of this field is in its digest.
bool is_digested(std::string_view field);

// Nothing: it was not noted yet.
std::optional<std::string> find_digest(store::Mailbox& box, uint32_t uid);
// Of this message, for now and, if short enough, for later.
std::string note_digest(store::Mailbox& box, uint32_t uid, std::string_view message);

} // namespace imapd
