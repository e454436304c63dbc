#include "session.h"

#include "base/log.h"
#include "base/text.h"
#include "login.h"
#include "net/listener.h"

#include <fmt/format.h>
#include <openssl/x509_vfy.h>

#include <algorithm>

namespace smtp_client {
namespace {

constexpr async::Limit goodbye_limit{2000};

// Ends the opening of a session: this host will not do.
struct Refusal {
    Problem problem;
    bool retry_in_clear = false;
    bool connection_broken = false; // nobody listens to our goodbye
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

tls::Target target_of(const Purpose& purpose, const Host& host)
{
    const TlsPolicy& policy = purpose.policy;
    tls::Target target(server_name(policy, host, purpose.nexthop), policy.level);
    if (policy.level == tls::Level::verify || policy.level == tls::Level::secure)
        target.match = names_to_match(policy, host, purpose.nexthop);
    if (policy.level == tls::Level::fingerprint) target.fingerprints = policy.fingerprints;
    target.session_key = host.full_with_port();
    target.protocols = policy.protocols;
    target.cipher_grade = policy.ciphers;
    target.exclude_ciphers = policy.exclude;
    target.trust_anchor_files = policy.trust_anchors;
    return target;
}

// What is wrong with a certificate, in Postfix's words.
void log_distrust(const tls::Info& info, const std::string& host)
{
    switch (info.trust_code) {
    case X509_V_OK: return;
    case X509_V_ERR_CERT_UNTRUSTED:
        return base::log::info("certificate verification failed for {}: not trusted by local or TLSA policy", host);
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return base::log::info("certificate verification failed for {}: self-signed certificate", host);
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return base::log::info("certificate verification failed for {}: untrusted issuer {}", host, info.issuer_line);
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return base::log::info("server certificate verification failed for {}: certificate not yet valid", host);
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return base::log::info("server certificate verification failed for {}: certificate has expired", host);
    case X509_V_ERR_INVALID_PURPOSE:
        return base::log::info("certificate verification failed for {}: not designated for use as a server certificate", host);
    default:
        return base::log::info("server certificate verification failed for {}: num={}:{}", host, info.trust_code,
                               info.trust_trouble);
    }
}

void log_established(const Context& context, const tls::Info& info, const std::string& host)
{
    int level = context.settings.tls.loglevel;
    if (level >= 2 && info.trust != tls::Trust::anonymous)
        base::log::info("{}: subject_CN={}, issuer_CN={}, fingerprint={}, pkey_fingerprint={}", host, info.peer_name,
                        info.peer_issuer, info.peer_fingerprint, info.peer_key_fingerprint);
    if (level >= 1) base::log::info("{} TLS connection established to {}: {}", tls::word(info.trust), host, info.text());
}

async::Task<> start_tls(Context& context, Session& session, const Purpose& purpose)
{
    std::string host = session.host.full_with_port();
    if (!context.tls)
        throw Refusal{deferred("4.7.5", "TLS is required, but our TLS engine is unavailable")};
    if (context.settings.tls.loglevel >= 2) base::log::info("setting up TLS connection to {}", host);
    tls::Target target = target_of(purpose, session.host);
    session.stage = "performing the TLS handshake";
    std::string why;
    try {
        tls::Info info =
            co_await tls::connect(session.stream, *context.tls, std::move(target), context.settings.starttls_timeout);
        if (context.settings.tls.loglevel >= 2) log_distrust(info, host);
        log_established(context, info, host);
        session.under_tls = true;
        session.verified = info.trust == tls::Trust::verified;
        co_return;
    } catch (const tls::NotVerified& stranger) {
        log_distrust(stranger.info, host);
        log_established(context, stranger.info, host);
        throw Refusal{deferred("4.7.5", "Server certificate not verified")};
    } catch (const tls::Failed& failure) {
        why = failure.what();
    } catch (const net::Gone& gone) {
        why = gone.why() == net::Gone::timed_out ? "Connection timed out" : "lost connection";
    }
    base::log::info("SSL_connect error to {}: {}", host, why);
    // As Postfix: mail that has waited once goes in the clear, but no password does.
    bool retry = purpose.policy.level == tls::Level::may && purpose.age >= context.settings.plain_after &&
                 !has_login(context, session.host, purpose);
    throw Refusal{deferred("4.7.5", "Cannot start TLS: handshake failure"), retry, true};
}

// A Cisco PIX hides the greeting behind stars, and gets some of ESMTP wrong.
void look_for_pix(Context& context, Session& session, const smtp::Reply& greeting, const Purpose& purpose)
{
    const Settings& settings = context.settings;
    if (purpose.age < settings.pix_threshold || greeting.text.find_first_not_of("20 *\t\n") != std::string::npos) return;
    auto found = context.tables->pix_workarounds.find(session.host.address.ip());
    std::string words = found ? *found : settings.pix_workarounds;
    if (words.empty()) return;
    base::log::info("{}: enabling PIX workarounds: {} for {}", purpose.queue_id, words, session.host.full_with_port());
    for (auto word : base::split(words)) {
        if (base::same_word(word, "disable_esmtp")) session.speaks_esmtp = false;
        if (base::same_word(word, "delay_dotcrlf")) session.delays_dot = true;
    }
}

async::Task<> greet(Context& context, Session& session, const Purpose& purpose)
{
    const Settings& settings = context.settings;
    session.stage = "receiving the initial server greeting";
    smtp::Reply greeting = co_await session.read_reply(settings.helo_timeout);
    if (!greeting.ok()) {
        Problem problem = refused_to_talk(session.name, greeting);
        throw Refusal{settings.skip_5xx_greeting ? softened(std::move(problem)) : problem};
    }
    auto words = base::split(greeting.text);
    if (purpose.detect_loop && !words.empty() && base::same_word(words[0], settings.myhostname))
        base::log::warning("host {} greeted me with my own hostname {}", session.host.full_with_port(), settings.myhostname);
    bool says_esmtp = std::any_of(words.begin(), words.end(), [](auto word) { return base::same_word(word, "ESMTP"); });
    session.speaks_esmtp = settings.lmtp || (!settings.never_ehlo && (settings.always_ehlo || says_esmtp));
    if (!settings.lmtp) look_for_pix(context, session, greeting, purpose);
}

std::string discarded_keywords(Context& context, const Session& session)
{
    std::string words = context.settings.discard_keywords;
    if (!session.host.address.is_unix())
        if (auto found = context.tables->discard_keywords.find(session.host.address.ip())) words = *found;
    bool silent = base::find_word(words, "silent-discard") != std::string_view::npos;
    if (!words.empty() && !silent) base::log::info("discarding EHLO keywords: {}", words);
    return words;
}

async::Task<> say_hello(Context& context, Session& session)
{
    const Settings& settings = context.settings;
    if (session.speaks_esmtp) {
        session.stage = settings.lmtp ? "performing the LHLO handshake" : "performing the EHLO handshake";
        session.stream.write(fmt::format("{} {}\r\n", settings.greeting_verb(), settings.helo_name));
        smtp::Reply reply = co_await session.ask(settings.helo_timeout);
        if (reply.ok()) {
            session.can = smtp::parse_ehlo(reply, discarded_keywords(context, session));
            co_return;
        }
        if (settings.lmtp || reply.code == 421) throw Refusal{softened(refused_to_talk(session.name, reply))};
    }
    // RFC 5321 3.2: a server that does not know EHLO.
    session.stage = "performing the HELO handshake";
    session.stream.write(fmt::format("HELO {}\r\n", settings.helo_name));
    smtp::Reply reply = co_await session.ask(settings.helo_timeout);
    if (!reply.ok()) throw Refusal{refused_to_talk(session.name, reply)};
    session.can = smtp::Capabilities();
    session.can.host = std::string(base::cut(reply.text, ' ').before);
}

// True when the connection is under TLS afterwards, and EHLO must be said again (RFC 3207 4.2).
async::Task<bool> upgrade(Context& context, Session& session, const Purpose& purpose)
{
    const TlsPolicy& policy = purpose.policy;
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
        co_await start_tls(context, session, purpose);
        co_return true;
    }
    if (policy.required())
        throw Refusal{softened(said_no(reply, fmt::format("TLS is required, but host {} refused to start TLS: {}",
                                                          session.name, reply.line())))};
    if (reply.code == 421) throw Refusal{softened(refused_to_talk(session.name, reply)), true};
    co_return false;
}

async::Task<> introduce(Context& context, Session& session, const Purpose& purpose)
{
    const TlsSettings& tls = context.settings.tls;
    bool wrapped = purpose.use_tls && tls.wrappermode;
    if (wrapped) co_await start_tls(context, session, purpose);
    co_await greet(context, session, purpose);
    co_await say_hello(context, session);
    if (purpose.detect_loop && base::same_word(session.can.host, context.settings.myhostname)) {
        base::log::warning("host {} replied to HELO/EHLO with my own hostname {}", session.host.full_with_port(),
                           context.settings.myhostname);
        throw Refusal{bounced("5.4.6", fmt::format("mail for {} loops back to myself", purpose.nexthop))};
    }
    if (tls.note_offer && purpose.policy.level == tls::Level::none && session.can.starttls)
        base::log::info("Host offered STARTTLS: [{}]", session.host.name);
    if (purpose.use_tls && !wrapped) {
        bool again = co_await upgrade(context, session, purpose);
        if (again) co_await say_hello(context, session);
    }
    session.may_be_kept = !session.under_tls || purpose.policy.reuse;
    auto problem = co_await log_in(context, session, purpose);
    if (problem) throw Refusal{std::move(*problem)};
}

} // namespace

bool Session::take_reply(smtp::Reply& reply)
{
    if (reply_filter && !reply_filter->empty()) return take_filtered_reply(reply);
    std::string_view have = stream.buffered();
    if (have.empty()) return false;
    stream.consume(reader_.feed(have));
    if (!reader_.complete()) return false;
    reply = reader_.take();
    return true;
}

bool Session::take_filtered_reply(smtp::Reply& reply)
{
    while (!reader_.complete()) {
        std::string_view have = stream.buffered();
        size_t end = have.find('\n');
        if (end == have.npos) {
            if (have.size() > smtp::ReplyLimits().line) throw smtp::BadReply("reply line too long");
            return false;
        }
        std::string_view line = have.substr(0, end);
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        std::string text(line);
        stream.consume(end + 1);
        if (auto other = reply_filter->find(text)) {
            base::log::info("{}: replacing server reply \"{}\" with \"{}\"", queue_id, base::printable(text), base::printable(*other));
            text = std::move(*other);
        }
        reader_.add_line(text);
    }
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

async::Task<Opened> open_session(Context& context, Host host, Purpose purpose)
{
    Opened opened;
    const net::Address& address = host.address;
    net::Address from = address.is_unix()   ? net::Address()
                        : address.is_ipv6() ? context.settings.bind6
                                            : context.settings.bind4;
    std::unique_ptr<Session> session;
    bool polite = true;
    try {
        net::Stream stream = co_await net::connect(address, context.settings.connect_timeout, from);
        opened.connected = true;
        session = std::make_unique<Session>(std::move(stream), std::move(host));
        session->reply_filter = &context.tables->reply_filter;
        session->queue_id = purpose.queue_id;
        co_await introduce(context, *session, purpose);
        opened.session = std::move(session);
        co_return opened;
    } catch (const Refusal& refusal) {
        opened.problem = refusal.problem;
        opened.tls_failed = refusal.retry_in_clear;
        polite = !refusal.connection_broken;
    } catch (const net::Gone& gone) {
        std::string why = gone.why() == net::Gone::timed_out ? "Connection timed out" : gone.what();
        opened.problem = session ? session->lost(gone)
                                 : deferred("4.4.1", fmt::format("connect to {}: {}", host.full_with_port(), why));
    } catch (const smtp::BadReply& bad) {
        opened.problem = session->nonsense(bad);
    } catch (const maps::Unavailable& trouble) {
        base::log::warning("{}", trouble.what());
        opened.problem = deferred("4.3.0", fmt::format("local data error while talking to {}", session->name));
    }
    if (session && polite) co_await say_goodbye(std::move(session), false, goodbye_limit);
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
