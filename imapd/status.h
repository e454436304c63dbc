// status: the numbers of a mailbox that is not opened, for STATUS and for LIST's RETURN (STATUS (…)), RFC 5819.
#pragma once

#include "session.h"

namespace imapd {

enum class StatusItem { messages, recent, uid_next, uid_validity, unseen, deleted, size, highest_modseq, append_limit };

// "(MESSAGES UNSEEN)"
std::vector<StatusItem> parse_status_items(Arguments& arguments);
// append_limit: octets; 0 is none.
std::string status_text(const store::Status& status, const std::vector<StatusItem>& items, uint64_t append_limit = 0);
// Says "* STATUS name (…)"; false when there is no such mailbox.
async::Task<bool> say_status(Session& session, std::string name, std::vector<StatusItem> items);

} // namespace imapd
