#include "session.h"

#include "commands.h"
#include "file_stream.h"
#include "restrictions/reply_text.h"
#include "secure.h"

#include "base/log.h"
#include "base/text.h"
#include "net/proxy_protocol.h"

#include <sys/socket.h>

namespace smtpd {
namespace {

constexpr async::Limit farewell_limit{5000};
void log_end(const Session& s)
{
    std::string line = "disconnect from " + s.client.text();
    unsigned done = 0, tried = 0;
    auto add = [&](const std::string& name) {
        auto found = s.tally.find(name);
        if (found == s.tally.end()) return;
        const Tally& tally = found->second;
        line += tally.done == tally.tried ? fmt::format(" {}={}", name, tally.done) : fmt::format(" {}={}/{}", name, tally.done, tally.tried);
        done += tally.done;
        tried += tally.tried;
    };
    for (const Verb& verb : all_verbs()) add(base::lower(verb.name));
    add("unknown");
    line += done == tried && tried > 0 ? fmt::format(" commands={}", done) : fmt::format(" commands={}/{}", done, tried);
    if (s.noted_bare_newline) line += " notes=bare_lf";
    base::log::info("{}", line);
}

async::Task<> find_client_name(Session& s)
{
    Client& client = s.client;
    client.address = s.peer.ip();
    client.port = std::to_string(s.peer.port());
    if (s.config.smtpd_peername_lookup) {
        auto found = co_await s.service.resolver.reverse(s.peer, true);
        auto status = found.reverse == dns::Status::try_again ? NameStatus::try_again : NameStatus::none;
        client.name = found.name;
        client.reverse_name = found.reverse_name;
        client.name_status = found.name == "unknown" ? status : NameStatus::known;
        client.reverse_status = found.reverse_name == "unknown" ? status : NameStatus::known;
    }
    know_client(s);
}

async::Task<bool> start_wrapped_tls(Session& s)
{
    if (!s.service.tls) {
        base::log::warning("smtpd_tls_wrappermode without TLS: connection from {} refused", s.client.text());
        co_return false;
    }
    if (refuse_starttls(s)) co_return false;
    co_await start_tls(s);
    auto refusal = refuse_new_tls(s);
    if (refusal) s.say(*refusal);
    co_return !refusal;
}

// smtpd_upstream_proxy_protocol: the proxy says who the client is. False: it does not, and nobody is served.
async::Task<bool> ask_proxy(Session& s)
{
    if (s.config.smtpd_upstream_proxy_protocol.empty()) co_return true;
    std::string trouble;
    try {
        if (s.config.smtpd_upstream_proxy_protocol != "haproxy") throw net::BadProxyHeader("unknown smtpd_upstream_proxy_protocol");
        net::ProxyHeader header = co_await net::read_proxy_header(s.stream, s.config.smtpd_upstream_proxy_timeout);
        if (header.local) co_return true;
        s.peer = header.client;
        s.client.server_address = header.server.ip();
        s.client.server_port = std::to_string(header.server.port());
        co_return true;
    } catch (const net::BadProxyHeader& fault) {
        trouble = fault.what();
    } catch (const net::Gone& gone) {
        trouble = gone.why() == net::Gone::timed_out ? "timeout error" : "EOF";
    }
    base::log::warning("haproxy read: {}", trouble);
    co_return false;
}

async::Task<> serve_network(Session& s)
{
    s.peer = s.stream.peer();
    bool proxied = co_await ask_proxy(s);
    if (!proxied) {
        s.client.address = s.peer.ip();
        base::log::info("connect from {}", s.client.text());
        s.say({421, "4.3.0", s.config.myhostname + " Server local error"});
        co_return;
    }
    co_await find_client_name(s);
    base::log::info("connect from {}", s.client.text());
    if (s.config.smtpd_tls_wrappermode) {
        bool secured = co_await start_wrapped_tls(s);
        if (!secured) co_return;
    }
    co_await converse(s);
}

// "lost connection after DATA (1234 bytes) from …". Who goes after the end of a message without QUIT is not worth a line.
void log_break(const Session& s, std::string_view reason)
{
    bool content = s.mail && s.mail->in_content;
    if (!content && s.last_command == "END-OF-MESSAGE" && reason == "lost connection") return;
    std::string bytes = content ? fmt::format(" ({} bytes)", s.mail->received) : "";
    base::log::info("{} after {}{} from {}", reason, s.last_command, bytes, s.client.text());
}

async::Task<> run(Session& s)
{
    std::optional<net::Gone> gone;
    std::string trouble;
    try {
        if (s.service.letterbox)
            co_await converse(s);
        else
            co_await serve_network(s);
    } catch (const net::Gone& why) {
        gone = why;
    } catch (const std::exception& failure) {
        trouble = failure.what();
    }
    if (gone && gone->why() == net::Gone::timed_out) {
        log_break(s, "timeout");
        s.say({421, "4.4.2", s.config.myhostname + " Error: timeout exceeded"});
    } else if (gone) {
        log_break(s, "lost connection");
    } else if (!trouble.empty()) {
        base::log::warning("{}: {}", s.client.text(), trouble);
        s.say({421, "4.3.0", s.config.myhostname + " Error: internal trouble"});
    }
    s.mail.reset();
    if (s.milters) co_await s.milters->quit();
}

void know_local_user(Session& s, uid_t uid)
{
    s.client.uid = uid;
    s.client.name = "localhost";
    s.client.address = "127.0.0.1";
    s.client.trusted = true;
    s.bare_newline_exempt = true;
}

} // namespace

void Session::say(smtp::Reply reply)
{
    restrictions::add_footer(*this, reply);
    stream.write(reply.wire());
}

void Session::reset()
{
    mail.reset();
    forwarded = {};
    broken_chunks = false;
    stage = client.helo.empty() ? connected : greeted;
}

async::Task<> serve(net::Stream stream, Service& service)
{
    Session s(std::move(stream), service);
    if (service.letterbox) {
        ucred who{};
        socklen_t size = sizeof who;
        if (::getsockopt(s.stream.fd(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) co_return;
        know_local_user(s, who.uid);
    }
    co_await run(s);
    co_await s.stream.close(farewell_limit);
    if (!service.letterbox) log_end(s);
}

async::Task<spool::PickedUp> serve_file(std::string name, uid_t owner, base::Fd file, Service& service)
{
    spool::PickedUp verdict;
    verdict.name = std::move(name);
    Session s(stream_over_file(std::move(file)), service);
    know_local_user(s, owner);
    co_await run(s);
    co_await s.stream.flush(farewell_limit);
    std::string replies = static_cast<FileTransport*>(s.stream.transport())->written();
    // The last refusal before QUIT tells what became of it.
    if (!s.committed.empty()) {
        verdict.verdict = spool::PickedUp::accepted;
        verdict.text = s.committed;
        co_return verdict;
    }
    verdict.verdict = spool::PickedUp::try_again;
    for (auto line : base::split(replies, "\r\n")) {
        if (line.size() < 3 || (line[0] != '4' && line[0] != '5')) continue;
        verdict.verdict = line[0] == '5' ? spool::PickedUp::refused : spool::PickedUp::try_again;
        verdict.text = line;
        break;
    }
    co_return verdict;
}

void log_reject(const Session& s, std::string_view verb, const smtp::Reply& reply, std::string_view recipient)
{
    std::string line = fmt::format("{}: reject: {} from {}: {}; from=<{}>", s.queue_id(), verb, s.client.text(), reply.line(),
                                   s.mail ? s.mail->sender : "");
    if (!recipient.empty()) line += fmt::format(" to=<{}>", recipient);
    line += fmt::format(" proto={}", s.client.protocol);
    if (!s.client.helo.empty()) line += fmt::format(" helo=<{}>", s.client.helo);
    base::log::info("{}", line);
}

} // namespace smtpd
