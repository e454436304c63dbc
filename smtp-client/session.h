// session: one connection to one server, from connect to QUIT: greeting, EHLO or LHLO, STARTTLS, and the replies.
#pragma once

#include "base/clock.h"
#include "failed_logins.h"
#include "hosts.h"
#include "smtp/ehlo.h"
#include "tables.h"
#include "tls/context.h"
#include "tls_policy.h"

#include <memory>
#include <string>

namespace smtp_client {

// What all deliveries of the process share.
struct Context {
    Context(Settings settings, dns::Resolver& resolver, const tls::ClientContext* tls, std::unique_ptr<Tables> tables)
        : settings(std::move(settings)), resolver(resolver), tls(tls),
          tables(tables ? std::move(tables) : std::make_unique<Tables>())
    {
    }
    Settings settings;
    dns::Resolver& resolver;
    const tls::ClientContext* tls; // nothing when it cannot be had
    std::unique_ptr<Tables> tables;
    FailedLogins failed_logins;
};

// What a session is opened for.
struct Purpose {
    std::string nexthop;     // the domain or host of the destination: for names in certificates, and for loops
    std::string destination; // as it is written: "[mail.example.org]:587"
    std::string queue_id, sender;
    async::Limit age{0};     // of the message
    TlsPolicy policy;
    bool detect_loop = false; // a host that calls itself by our name is ourselves
    bool use_tls = false;
};

class Session {
public:
    Session(net::Stream stream, Host host) : stream(std::move(stream)), host(std::move(host)), name(this->host.full())
    {
    }

    net::Stream stream;
    Host host;
    std::string name; // "mx.example[192.0.2.1]"
    std::string queue_id; // of the message in hand
    smtp::Capabilities can;
    bool under_tls = false, verified = false; // and its certificate is the one that was asked for
    bool logged_in = false;
    bool may_be_kept = true; // for other messages
    bool speaks_esmtp = true;
    bool delays_dot = false; // a PIX is in the way
    int uses = 0;            // messages tried on it so far
    bool needs_rset = false; // the last transaction was left unfinished
    base::Steady opened = base::steady_now();
    // What we wait for, in Postfix's words: "sending RCPT TO". A text that lives for ever.
    const char* stage = "receiving the initial server greeting";

    // The next reply if it is all here already. Throws smtp::BadReply.
    bool take_reply(smtp::Reply& reply);
    // Waits for it. The limit is for the whole reply, so that no server can keep us by sending a byte now and then.
    async::Task<smtp::Reply> read_reply(async::Limit limit);
    // Sends what was gathered with stream.write() and waits for one reply.
    async::Task<smtp::Reply> ask(async::Limit limit);
    // Lines of replies go through these tables before they are understood; null: they do not.
    maps::Maps* reply_filter = nullptr;

    // "lost connection with … while …", "conversation with … timed out while …".
    Problem lost(const net::Gone& gone) const;
    Problem nonsense(const smtp::BadReply& bad) const;

private:
    bool take_filtered_reply(smtp::Reply& reply);
    smtp::ReplyReader reader_;
};

struct Opened {
    std::unique_ptr<Session> session; // nothing: problem says why
    Problem problem;
    bool connected = false;  // somebody answered, even if what he said was of no use
    bool tls_failed = false; // worth a try in the clear, where the level is `may`
};

async::Task<Opened> open_session(Context& context, Host host, Purpose purpose);

// QUIT, and the connection is closed.
async::Task<> say_goodbye(std::unique_ptr<Session> session, bool wait_for_reply, async::Limit limit);

} // namespace smtp_client
