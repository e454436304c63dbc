// commands: the verbs we speak, in one table.
#pragma once

#include "session.h"

#include <span>
#include <string_view>

namespace smtpd {

// What holds for a verb wherever it comes.
enum Trait : unsigned {
    before_tls = 1,         // also where TLS is mandatory (smtpd_tls_security_level = encrypt)
    last_in_group = 2,      // RFC 2920 3.1: the client must wait for the answer before it sends more
    junk = 4,               // moves nothing: counts for smtpd_junk_command_limit
    needs_greeting = 8,     // with smtpd_helo_required
    outside_mail = 16,      // not between MAIL and the end of its message
    not_in_chunks = 32,     // RFC 3030: not between the first BDAT and the last
    smtp_only = 64,
    lmtp_only = 128,        // RFC 2033
};

struct Verb {
    std::string_view name;
    unsigned traits;
    async::Task<smtp::Reply> (*run)(Session&, const smtp::Command&);
};

std::span<const Verb> all_verbs();      // in the order of the disconnect line
// Null: we do not know it, or not on this service.
const Verb* find_verb(std::string_view name, bool lmtp);

// How MAIL and RCPT are read: what we offer this client.
smtp::Grammar grammar_of(const Session& session);
// strict_smtputf8.
std::optional<smtp::Reply> refuse_undeclared_utf8(const Session& session, const smtp::Path& path, bool declared);
// DATA and BDAT need a sender and a recipient: the refusal, if they are missing.
std::optional<smtp::Reply> not_ready_for_content(const Session& session);

// At least one more byte of content, within the limits of DATA and BDAT.
async::Task<> more_content(Session& session);

async::Task<smtp::Reply> cmd_helo(Session&, const smtp::Command&);
async::Task<smtp::Reply> cmd_ehlo(Session&, const smtp::Command&);
async::Task<smtp::Reply> cmd_starttls(Session&, const smtp::Command&);
async::Task<smtp::Reply> cmd_auth(Session&, const smtp::Command&);
async::Task<smtp::Reply> cmd_mail(Session&, const smtp::Command&);
async::Task<smtp::Reply> cmd_rcpt(Session&, const smtp::Command&);
async::Task<smtp::Reply> cmd_data(Session&, const smtp::Command&);
async::Task<smtp::Reply> cmd_bdat(Session&, const smtp::Command&);
async::Task<smtp::Reply> cmd_rset(Session&, const smtp::Command&);
async::Task<smtp::Reply> cmd_noop(Session&, const smtp::Command&);
async::Task<smtp::Reply> cmd_vrfy(Session&, const smtp::Command&);
async::Task<smtp::Reply> cmd_etrn(Session&, const smtp::Command&);
async::Task<smtp::Reply> cmd_help(Session&, const smtp::Command&);
async::Task<smtp::Reply> cmd_lhlo(Session&, const smtp::Command&);
async::Task<smtp::Reply> cmd_quit(Session&, const smtp::Command&);
async::Task<smtp::Reply> cmd_xclient(Session&, const smtp::Command&);
async::Task<smtp::Reply> cmd_xforward(Session&, const smtp::Command&);

} // namespace smtpd
