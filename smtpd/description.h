// description: a session under the names that Postfix's policy protocol (SMTPD_POLICY_README) and reply texts ($client_address …) have for its
// parts. One table for all of them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace smtpd {

struct Session;

// What is asked about beside the session: sender and recipient as the client gave them, in internal form; empty where there are none.
struct Asked {
    std::string sender, recipient;
    std::string etrn_domain;
    std::string_view state;         // of the dialogue: CONNECT, EHLO, HELO, MAIL, RCPT, DATA, END-OF-MESSAGE, VRFY, ETRN
};

// The value of one name; nothing when nobody knows the name.
std::optional<std::string> describe(const Session& session, const Asked& asked, std::string_view name);

} // namespace smtpd
