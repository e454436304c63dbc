// session: one connection to one server, from connect to QUIT: greeting, EHLO or LHLO, STARTTLS, and the replies.
#pragma once

#include "base/clock.h"
#include "hosts.h"
#include "smtp/ehlo.h"
#include "tls/context.h"

#include <memory>
#include <string>

namespace smtp_client {

// What all deliveries of the process share.
struct Context {
    Context(Settings settings, dns::Resolver& resolver, const tls::ClientContext* tls)
        : settings(std::move(settings)), resolver(resolver), tls(tls)
    {
    }
    Settings settings;
    dns::Resolver& resolver;
    const tls::ClientContext* tls; // nothing when the level is none
};

class Session {
public:
    Session(net::Stream stream, Host host) : stream(std::move(stream)), host(std::move(host)), name(this->host.full())
    {
    }

    net::Stream stream;
    Host host;
    std::string name; // "mx.example[192.0.2.1]"
    smtp::Capabilities can;
    bool under_tls = false;
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

    // "lost connection with … while …", "conversation with … timed out while …".
    Problem lost(const net::Gone& gone) const;
    Problem nonsense(const smtp::BadReply& bad) const;

private:
    smtp::ReplyReader reader_;
};

struct Opened {
    std::unique_ptr<Session> session; // nothing: problem says why
    Problem problem;
    bool connected = false;  // somebody answered, even if what he said was of no use
    bool tls_failed = false; // worth a try in the clear, where the level is `may`
};

// nexthop: what the recipient's domain led to, for names in certificates and for loops.
async::Task<Opened> open_session(const Context& context, Host host, std::string nexthop, bool detect_loop,
                                 bool use_tls);

// QUIT, and the connection is closed.
async::Task<> say_goodbye(std::unique_ptr<Session> session, bool wait_for_reply, async::Limit limit);

} // namespace smtp_client
