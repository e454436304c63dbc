// session: one SMTP dialogue, from the greeting to the last word.
#pragma once

#include "client.h"
#include "filters/milters.h"
#include "client_limits.h"
#include "restrictions/state.h"
#include "service.h"
#include "transaction.h"

#include "net/stream.h"
#include "smtp/command.h"
#include "smtp/reply.h"
#include "tls/info.h"

#include <map>
#include <optional>
#include <set>
#include <string>

namespace smtpd {

// Where in the dialogue we are: what a verb may rely on.
enum Stage : unsigned {
    connected = 1,      // nobody said hello yet
    greeted = 2,
    mail_given = 4,
    rcpt_given = 8,
    bdat_begun = 16,    // RFC 3030: only BDAT, RSET, NOOP, QUIT until LAST
};

struct Tally {
    unsigned done = 0, tried = 0;
};

struct Session {
    Session(net::Stream stream, Service& service)
        : stream(std::move(stream)), service(service), config(service.config), number(++service.sessions)
    {}

    net::Stream stream;
    Service& service;
    const config::Config& config;
    net::Address peer;                  // the client's address, by the socket or a proxy before us
    const uint64_t number;              // of this process, from 1
    unsigned transactions = 0;          // begun so far
    Client client;
    Forwarded forwarded;                // XFORWARD, for the next message
    std::optional<tls::Info> tls;
    std::string sasl_user, sasl_method;
    std::optional<Transaction> mail;
    std::unique_ptr<Milters> milters;   // null: none
    unsigned stage = connected;
    bool may_xclient = false, may_xforward = false;
    bool bare_newline_exempt = false;   // smtpd_forbid_bare_newline_exclusions, and local users
    std::string counted_as;             // for the limits on clients; empty: not counted
    Presence presence;                  // its connection is counted
    int64_t connections = 0;            // of this client, with this one; 0: not counted
    std::set<std::string> hidden_keywords; // of EHLO, lower case
    std::optional<smtp::Reply> denied;  // access was refused at the start: what all commands but QUIT hear
    int64_t errors = 0;                 // smtpd_soft_error_limit, smtpd_hard_error_limit
    int64_t junk = 0;                   // commands that move nothing, since the last message
    bool forgiven = false;              // the refusal that is being given is no error of the client's
    bool noted_pipelining = false;      // smtpd_forbid_unauth_pipelining = no: it is logged once
    bool noted_bare_newline = false;    // smtpd_forbid_bare_newline = note
    bool broken_chunks = false;         // RFC 3030: after a refused BDAT all chunks are refused, until LAST or RSET
    bool done = false;                  // after the reply that is being given
    restrictions::State checks;         // what the restriction lists remember
    std::string last_command = "CONNECT";
    std::map<std::string, Tally, std::less<>> tally; // of verbs, for the disconnect line
    std::string committed;              // queue id of the last message taken; of the letterbox's pickup

    bool offers(const std::string& keyword) const { return hidden_keywords.count(keyword) == 0; }
    void say(smtp::Reply reply);        // with smtpd_reject_footer, where it refuses
    void reset();                       // forgets the transaction
    std::string queue_id() const { return mail && mail->file ? mail->file.id() : "NOQUEUE"; }
};

// The whole life of a connection from the network, or from the letterbox. Does not throw but for cancellation.
async::Task<> serve(net::Stream stream, Service& service);
// A dialogue that postdrop left in a file. Returns the verdict for the queue manager.
async::Task<spool::PickedUp> serve_file(std::string name, uid_t owner, base::Fd file, Service& service);

// What follows from the client's name and address: who it is to us. After connecting, and again after XCLIENT.
void know_client(Session& session);
// The greeting, or why there is none; ends the session where the client is not wanted.
async::Task<> greet(Session& session);
// Commands and replies until QUIT. Throws net::Gone.
async::Task<> converse(Session& session);

smtp::Reply bare_newline_reply(const Session& session);

// "NOQUEUE: reject: RCPT from NAME[ADDR]: 554 5.7.1 <x>: Relay access denied; from=<F> to=<T> proto=ESMTP helo=<H>"
void log_reject(const Session& session, std::string_view verb, const smtp::Reply& reply, std::string_view recipient = {});

} // namespace smtpd
