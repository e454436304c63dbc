// reply_text: texts of main.cf that are filled in for each client: default_rbl_reply, rbl_reply_maps, smtpd_reject_footer.
#pragma once

#include "smtp/reply.h"

#include <map>
#include <optional>
#include <string>

namespace smtpd {
struct Session;
}

namespace smtpd::restrictions {

using Names = std::map<std::string, std::string, std::less<>>;

// The template with $client_address and its kin, and the names given, filled in. What came from strangers is reduced to the characters of
// smtpd_expansion_filter. A template whose grammar is bad is given back as it is, with a warning.
std::string fill_in(const Session& session, const std::optional<std::string>& sender, const std::optional<std::string>& recipient,
                    const std::string& text, const Names& names = {});

// smtpd_reject_footer(_maps): the reply with its footer, if it is a refusal and there is one.
void add_footer(Session& session, smtp::Reply& reply);

} // namespace smtpd::restrictions
