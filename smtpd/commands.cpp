#include "commands.h"

namespace smtpd {
namespace {

constexpr unsigned outside_mail = connected | greeted;

// RFC 5321 4.1.1, 3207, 4954, 3030.
constexpr Verb verbs[] = {
    {"EHLO", any_stage & ~bdat_begun, true, cmd_ehlo},
    {"HELO", any_stage & ~bdat_begun, true, cmd_helo},
    {"STARTTLS", outside_mail, true, cmd_starttls},
    {"AUTH", greeted, false, cmd_auth},
    {"MAIL", any_stage & ~bdat_begun, false, cmd_mail},
    {"RCPT", any_stage & ~bdat_begun, false, cmd_rcpt},
    {"DATA", any_stage & ~bdat_begun, true, cmd_data},
    {"BDAT", any_stage, false, cmd_bdat},
    {"RSET", any_stage, false, cmd_rset},
    {"VRFY", any_stage & ~bdat_begun, true, cmd_vrfy},
    {"NOOP", any_stage, true, cmd_noop},
    {"QUIT", any_stage, false, cmd_quit},
};

} // namespace

const Verb* find_verb(std::string_view name)
{
    for (const Verb& verb : verbs)
        if (verb.name == name) return &verb;
    return nullptr;
}

} // namespace smtpd
