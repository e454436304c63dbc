// commands: the verbs we speak, in one table.
#pragma once

#include "session.h"

#include <string_view>

namespace smtpd {

struct Verb {
    std::string_view name;
    unsigned stages;            // where in the dialogue it may come
    bool last_in_group;         // RFC 2920 3.1: the client must wait for the answer before it sends more
    async::Task<smtp::Reply> (*run)(Session&, const smtp::Command&);
};

const Verb* find_verb(std::string_view name);

// How MAIL and RCPT are read: what we offer this client.
smtp::Grammar grammar_of(const Session& session);
// DATA and BDAT need a sender and a recipient: the refusal, if they are missing.
std::optional<smtp::Reply> not_ready_for_content(const Session& session);

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
async::Task<smtp::Reply> cmd_quit(Session&, const smtp::Command&);

} // namespace smtpd
