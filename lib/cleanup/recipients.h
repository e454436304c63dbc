// recipients: the recipients of one message: rewritten, expanded, copied to others, and each only once.
#pragma once

#include "cleanup/rules.h"
#include "spool/messages.h"

#include <string>
#include <unordered_set>
#include <vector>

namespace cleanup {

class Recipients {
public:
    // rules must outlive it.
    Recipients(Rules& rules, Duties duties) : rules_(rules), duties_(duties) {}

    // Who is told by sender_bcc_maps of mail from the sender; before any recipient.
    void add_copy_of_sender(const std::string& sender);
    // recipient.address: rewritten to a whole address; recipient.original: as it was given. All throw maps::Unavailable.
    void add(spool::Recipient recipient);
    // always_bcc, BCC actions: nobody is told what becomes of it (RFC 3461: NOTIFY=NEVER).
    void add_copy(const std::string& address);

    // All that came of an address, or go to it; the address as it was given.
    void remove(std::string_view address);

    const std::string& last() const { return last_; }       // named by the envelope last, as canonical_maps made it
    std::vector<spool::Recipient> take() { return std::move(kept_); }
    const std::vector<spool::Recipient>& peek() const { return kept_; }
    bool empty() const { return kept_.empty(); }

private:
    void expand(spool::Recipient recipient);
    void keep(spool::Recipient recipient);
    void add_copy_from(maps::Maps& table, const std::string& address);

    Rules& rules_;
    Duties duties_;
    std::vector<spool::Recipient> kept_;
    std::unordered_set<std::string> seen_;
    std::string last_;
};

} // namespace cleanup
