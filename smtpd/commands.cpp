#include "commands.h"

namespace smtpd {
namespace {

// RFC 5321 4.1.1, 3207, 4954, 3030, 1985, 2033; XCLIENT and XFORWARD are Postfix's.
constexpr Verb verbs[] = {
    {"HELO", smtp_only | before_tls | last_in_group | junk, cmd_helo},
    {"EHLO", smtp_only | before_tls | last_in_group | junk, cmd_ehlo},
    {"LHLO", lmtp_only | before_tls | last_in_group | junk, cmd_lhlo},
    {"XCLIENT", before_tls | outside_mail | last_in_group, cmd_xclient},
    {"XFORWARD", outside_mail, cmd_xforward},
    {"STARTTLS", before_tls | outside_mail | last_in_group, cmd_starttls},
    {"AUTH", needs_greeting | outside_mail, cmd_auth},
    {"MAIL", needs_greeting | not_in_chunks, cmd_mail},
    {"RCPT", not_in_chunks, cmd_rcpt},
    {"DATA", not_in_chunks | last_in_group, cmd_data},
    {"BDAT", 0, cmd_bdat},
    {"RSET", junk, cmd_rset},
    {"NOOP", before_tls | last_in_group | junk, cmd_noop},
    {"VRFY", last_in_group | junk, cmd_vrfy},
    {"ETRN", smtp_only | outside_mail | junk, cmd_etrn},
    {"QUIT", before_tls, cmd_quit},
    {"HELP", before_tls, cmd_help},
};

} // namespace

std::span<const Verb> all_verbs() { return verbs; }

const Verb* find_verb(std::string_view name, bool lmtp)
{
    for (const Verb& verb : verbs)
        if (verb.name == name) return verb.traits & (lmtp ? smtp_only : lmtp_only) ? nullptr : &verb;
    return nullptr;
}

} // namespace smtpd
