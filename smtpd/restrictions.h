// restrictions: may this client give us mail for this recipient? A plain function over facts that were gathered before.
#pragma once

#include "smtp/reply.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace smtpd {

// What is known when a recipient is named.
struct Facts {
    bool in_mynetworks = false;
    bool authenticated = false;
    bool our_destination = false;       // we are responsible for the recipient's domain (RFC 5321 3.7.1: else it is relaying)
    bool recipient_known = true;        // as far as our tables can tell
    std::string unknown_text;           // "User unknown in local recipient table"
    int unknown_code = 550;
    std::string sender, recipient, helo;
};

struct Verdict {
    enum Kind { permit, refuse, dunno } kind = dunno;
    smtp::Reply reply;                  // of refuse
};

// Evaluates a list in Postfix's way: the first word that decides ends it. Words that are not carried out are passed over; see
// unsupported_restrictions(). relay_code: relay_domains_reject_code.
Verdict evaluate(const std::vector<std::string>& list, const Facts& facts, int relay_code);

// The lists that apply to a recipient, in order, each with its own last word; and the check of unlisted recipients at the end.
std::optional<smtp::Reply> decide_recipient(const std::vector<const std::vector<std::string>*>& lists, const Facts& facts, int relay_code,
                                            bool reject_unlisted);

// The words of a list that evaluate() passes over, for a warning at start.
std::vector<std::string> unsupported_restrictions(const std::vector<std::string>& list);

} // namespace smtpd
