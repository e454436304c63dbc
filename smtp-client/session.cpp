#include "session.h"

#include "base/log.h"
#include "base/text.h"
#include "net/listener.h"

#include <fmt/format.h>

namespace smtp_client {
namespace {

constexpr async::Limit goodbye_limit{2000};

// Ends the opening of a session: this host will not do.
struct Refusal {
    Problem problem;
    bool tls_failed = false;
};

std::vector<std::string> names_to_match(const TlsPolicy& policy, const Host& host, const std::string& nexthop)
{
    std::vector<std::string> names;
    for (const auto& word : policy.match) {
        if (word == "hostname")
            names.push_back(host.name);
        else if (word == "nexthop")
            names.push_back(nexthop);
        else if (word == "dot-nexthop")
            names.push_back("." + nexthop);
        else
            names.push_back(word);
    }
    return names;
}

std::string server_name(const TlsPolicy& policy, const Host& host, const std::string& nexthop)
{
    if (policy.servername == "hostname") return host.name;
    if (policy.servername == "nexthop") return nexthop;
    return policy.servername;
}

async::Task<> start_tls(const Context& context, Session& session, std::string nexthop)
{
    const TlsPolicy& policy = context.settings.tls;
    std::string host = session.host.full_with_port();
    tls::Target target(server_name(policy, session.host, nexthop), policy.level);
    if (policy.level == tls::Level::verify || policy.level == tls::Level::secure)
        target.match = names_to_match(policy, session.host, nexthop);
    if (policy.level == tls::Level::fingerprint) target.fingerprints = policy.fingerprints;
    target.session_key = host;
    session.stage = "performing the TLS handshake";
    std::string why;
    try {
        tls::Info info =
            co_await tls::connect(session.stream, *context.tls, std::move(target), context.settings.starttls_timeout);
        if (policy.loglevel >= 1)
            base::log::info("{} TLS connection established to {}: {}", tls::word(info.trust), host, info.text());
        session.under_tls = true;
        co_return;
    } catch (const tls::Failed& failure) {
        why = failure.what();
    } catch (const net::Gone& gone) {
        why = gone.what();
    }
    base::log::info("SSL_connect error to {}: {}", host, why);
    bool untrusted = base::starts_with_word(why, "Server certificate");
    throw Refusal{
        deferred("4.7.5",
                 untrusted ? why : fmt::format("Cannot start TLS: handshake failure with {}: {}", session.name, why)),
        !untrusted};
}

async::Task<> greet(const Context& context, Session& session)
{
    const Settings& settings = context.settings;
    session.stage = "receiving the initial server greeting";
    smtp::Reply greeting = co_await session.read_reply(settings.helo_timeout);
    if (greeting.ok()) co_return;
    Problem problem = refused_to_talk(session.name, greeting);
    throw Refusal{settings.skip_5xx_greeting ? softened(std::move(problem)) : problem};
}

async::Task<> say_hello(const Context& context, Session& session)
{
    const Settings& settings = context.settings;
    if (!settings.never_ehlo) {
        session.stage = settings.lmtp ? "performing the LHLO handshake" : "performing the EHLO handshake";
        session.stream.write(fmt::format("{} {}\r\n", settings.greeting_verb(), settings.helo_name));
        smtp::Reply reply = co_await session.ask(settings.helo_timeout);
        if (reply.ok()) {
            session.can = smtp::parse_ehlo(reply, settings.discard_keywords);
            co_return;
        }
        if (settings.lmtp || reply.code == 421 || !reply.permanent())
            throw Refusal{softened(refused_to_talk(session.name, reply))};
    }
    // RFC 5321 3.2: a server that does not know EHLO.
    session.stage = "performing the HELO handshake";
    session.stream.write(fmt::format("HELO {}\r\n", settings.helo_name));
    smtp::Reply reply = co_await session.ask(settings.helo_timeout);
    if (!reply.ok()) throw Refusal{refused(session.name, reply, "HELO command")};
    session.can = smtp::Capabilities();
    session.can.host = std::string(base::cut(reply.text, ' ').before);
}

// True when the connection is under TLS afterwards, and EHLO must be said again (RFC 3207 4.2).
async::Task<bool> upgrade(const Context& context, Session& session, std::string nexthop)
{
    const TlsPolicy& policy = context.settings.tls;
    if (!session.can.starttls) {
        if (policy.required())
            throw Refusal{
                deferred("4.7.4", fmt::format("TLS is required, but was not offered by host {}", session.name))};
        co_return false;
    }
    session.stage = "receiving the STARTTLS response";
    session.stream.write("STARTTLS\r\n");
    smtp::Reply reply = co_await session.ask(context.settings.starttls_timeout);
    if (reply.ok()) {
        co_await start_tls(context, session, std::move(nexthop));
        co_return true;
    }
    if (policy.required())
        throw Refusal{deferred("4.7.4", fmt::format("TLS is required, but host {} refused to start TLS: {}",
                                                    session.name, base::printable(reply.line())))};
    if (reply.code == 421) throw Refusal{softened(refused_to_talk(session.name, reply)), true};
    co_return false;
}

async::Task<> introduce(const Context& context, Session& session, std::string nexthop, bool detect_loop, bool use_tls)
{
    const TlsPolicy& policy = context.settings.tls;
    if (use_tls && policy.wrappermode) co_await start_tls(context, session, nexthop);
    co_await greet(context, session);
    co_await say_hello(context, session);
    if (detect_loop && base::same_word(session.can.host, context.settings.myhostname)) {
        base::log::warning("host {} replied to HELO/EHLO with my own hostname {}", session.host.full_with_port(),
                           context.settings.myhostname);
        throw Refusal{bounced("5.4.6", fmt::format("mail for {} loops back to myself", nexthop))};
    }
    if (policy.note_offer && !use_tls && session.can.starttls)
        base::log::info("Host offered STARTTLS: [{}]", session.host.name);
    if (!use_tls || policy.wrappermode) co_return;
    bool again = co_await upgrade(context, session, std::move(nexthop));
    if (again) co_await say_hello(context, session);
}

} // namespace

bool Session::take_reply(smtp::Reply& reply)
{
    std::string_view have = stream.buffered();
    if (have.empty()) return false;
    stream.consume(reader_.feed(have));
    if (!reader_.complete()) return false;
    reply = reader_.take();
    return true;
}

async::Task<smtp::Reply> Session::read_reply(async::Limit limit)
{
    smtp::Reply reply;
    auto until = base::steady_now() + limit;
    while (!take_reply(reply)) {
        auto left = std::chrono::duration_cast<async::Limit>(until - base::steady_now());
        co_await stream.fill(std::max(left, async::Limit(0)));
    }
    co_return reply;
}

async::Task<smtp::Reply> Session::ask(async::Limit limit)
{
    co_await stream.flush(limit);
    co_return co_await read_reply(limit);
}

Problem Session::lost(const net::Gone& gone) const
{
    const char* form = gone.why() == net::Gone::timed_out ? "conversation with {} timed out while {}"
                                                          : "lost connection with {} while {}";
    return deferred("4.4.2", fmt::format(fmt::runtime(form), name, stage));
}

Problem Session::nonsense(const smtp::BadReply& bad) const
{
    return deferred("4.5.0", fmt::format("Protocol error: host {} said: {} while {}", name,
                                         base::printable(bad.what(), 200), stage));
}

async::Task<Opened> open_session(const Context& context, Host host, std::string nexthop, bool detect_loop, bool use_tls)
{
    Opened opened;
    const net::Address& address = host.address;
    net::Address from = address.is_unix()   ? net::Address()
                        : address.is_ipv6() ? context.settings.bind6
                                            : context.settings.bind4;
    std::unique_ptr<Session> session;
    try {
        net::Stream stream = co_await net::connect(address, context.settings.connect_timeout, from);
        opened.connected = true;
        session = std::make_unique<Session>(std::move(stream), std::move(host));
        co_await introduce(context, *session, std::move(nexthop), detect_loop, use_tls);
        opened.session = std::move(session);
        co_return opened;
    } catch (const Refusal& refusal) {
        opened.problem = refusal.problem;
        opened.tls_failed = refusal.tls_failed;
    } catch (const net::Gone& gone) {
        std::string why = gone.why() == net::Gone::timed_out ? "Connection timed out" : gone.what();
        opened.problem = session ? session->lost(gone)
                                 : deferred("4.4.1", fmt::format("connect to {}: {}", host.full_with_port(), why));
    } catch (const smtp::BadReply& bad) {
        opened.problem = session->nonsense(bad);
    }
    if (session && !opened.tls_failed) co_await say_goodbye(std::move(session), false, goodbye_limit);
    co_return opened;
}

async::Task<> say_goodbye(std::unique_ptr<Session> session, bool wait_for_reply, async::Limit limit)
{
    try {
        session->stream.write("QUIT\r\n");
        if (wait_for_reply) co_await session->ask(limit);
    } catch (const net::Gone&) {
    } catch (const smtp::BadReply&) {
    }
    co_await session->stream.close(goodbye_limit);
}

} // namespace smtp_client
