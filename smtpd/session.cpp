#include "session.h"

#include "commands.h"
#include "file_stream.h"
#include "restrictions/reply_text.h"
#include "restrictions/stages.h"

#include "base/log.h"
#include "base/text.h"
#include "tls/handshake.h"

#include <sys/socket.h>

namespace smtpd {
namespace {

constexpr async::Limit farewell_limit{5000};
constexpr size_t longest_command_logged = 100;
// The order in which readers of Postfix's logs expect them.
constexpr std::string_view tally_order[] = {"helo", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "bdat", "rset", "noop", "vrfy", "quit", "unknown"};

constexpr std::string_view junk_verbs[] = {"NOOP", "RSET", "VRFY", "EHLO", "HELO"};

async::Task<> greet(Session& s)
{
    s.denied = co_await restrictions::check_client(s);
    s.say(s.denied ? *s.denied : smtp::Reply{220, "", s.service.banner});
    // RFC 5321 4.3.1: a client that talks before the greeting does not speak SMTP; nothing of it is believed.
    co_await s.stream.flush(s.config.smtpd_timeout);
}

// A client that sends on where it must wait for an answer wants to smuggle, or is broken.
bool pipelined_wrongly(Session& s, const Verb& verb)
{
    bool may_pipeline = s.client.protocol == "ESMTP";
    if (s.service.letterbox || s.stream.buffered().empty() || (may_pipeline && !verb.last_in_group)) return false;
    base::log::info("improper command pipelining after {} from {}: {}", s.last_command, s.client.text(),
                    base::printable(s.stream.buffered().substr(0, longest_command_logged)));
    s.noted_pipelining = true;
    return s.config.smtpd_forbid_unauth_pipelining;
}

async::Task<smtp::Reply> answer(Session& s, std::string_view line)
{
    smtp::Command command = smtp::split_command(line);
    const Verb* verb = find_verb(command.verb);
    s.last_command = verb ? command.verb : "UNKNOWN";
    std::string name = verb ? base::lower(command.verb) : "unknown";
    ++s.tally[name].tried;
    if (verb && pipelined_wrongly(s, *verb)) {
        s.done = true;
        s.stream.discard_buffered();
        co_return smtp::Reply{554, "5.5.0", "Error: SMTP protocol synchronization"};
    }
    if (s.denied && command.verb != "QUIT") co_return smtp::Reply{503, "5.7.0", "Error: access denied for " + s.client.text()};
    if (!verb) co_return smtp::Reply{500, "5.5.2", "Error: command not recognized"};
    bool junk = std::find(std::begin(junk_verbs), std::end(junk_verbs), verb->name) != std::end(junk_verbs);
    if (junk && ++s.junk > s.config.smtpd_junk_command_limit) ++s.errors;
    if (!(verb->stages & s.stage)) co_return smtp::Reply{503, "5.5.1", "Error: bad sequence of commands"};
    if (s.service.tls_level == TlsLevel::encrypt && !s.tls && verb->name != "EHLO" && verb->name != "HELO" && verb->name != "STARTTLS" &&
        verb->name != "NOOP" && verb->name != "QUIT" && !s.service.letterbox)
        co_return smtp::Reply{530, "5.7.0", "Must issue a STARTTLS command first"};
    smtp::Reply reply;
    try {
        reply = co_await verb->run(s, command);
    } catch (const smtp::Syntax& slip) {
        reply = slip.reply();
    } catch (const maps::Unavailable& trouble) {
        base::log::warning("{}", trouble.what());
        reply = {451, "4.3.0", "Error: temporary lookup failure"};
    } catch (const config::Error& trouble) {
        base::log::warning("{}", trouble.what());
        reply = {451, "4.3.5", "Server configuration error"};
    }
    if (reply.code < 400) ++s.tally[name].done;
    co_return reply;
}

async::Task<> next_reply(Session& s)
{
    smtp::Reply reply{500, "5.5.2", "Error: command line too long"};
    s.forgiven = false;
    try {
        std::string_view line = co_await s.stream.line(s.config.smtpd_timeout, static_cast<size_t>(s.config.line_length_limit));
        if (line.find('\0') != std::string_view::npos)
            reply = {500, "5.5.2", "Error: NUL in command"};
        else
            reply = co_await answer(s, line);
    } catch (const net::LineTooLong&) {
    }
    if (reply.code >= 400 && !s.forgiven) ++s.errors;
    if (reply.code == 0) co_return;    // it has spoken for itself
    s.say(reply);
    if (reply.code == 421 || reply.code == 521) s.done = true;
}

async::Task<> converse(Session& s)
{
    co_await greet(s);
    while (!s.done) {
        // Replies to pipelined commands go out together (RFC 2920 3.2).
        if (!s.stream.has_line()) co_await s.stream.flush(s.config.smtpd_timeout);
        int64_t errors_before = s.errors;
        co_await next_reply(s);
        if (s.done || s.errors == errors_before || s.service.letterbox) continue;
        if (s.errors >= s.config.smtpd_hard_error_limit) {
            base::log::info("too many errors after {} from {}", s.last_command, s.client.text());
            s.say({421, "4.7.0", s.config.myhostname + " Error: too many errors"});
            s.done = true;
        } else if (s.errors >= s.config.smtpd_soft_error_limit) {
            co_await s.stream.flush(s.config.smtpd_timeout);
            co_await async::sleep(s.config.smtpd_error_sleep_time);
        }
    }
}

void log_end(const Session& s)
{
    std::string line = "disconnect from " + s.client.text();
    unsigned done = 0, tried = 0;
    for (std::string_view name : tally_order) {
        auto found = s.tally.find(name);
        if (found == s.tally.end()) continue;
        const Tally& tally = found->second;
        line += tally.done == tally.tried ? fmt::format(" {}={}", name, tally.done) : fmt::format(" {}={}/{}", name, tally.done, tally.tried);
        done += tally.done;
        tried += tally.tried;
    }
    line += done == tried ? fmt::format(" commands={}", done) : fmt::format(" commands={}/{}", done, tried);
    base::log::info("{}", line);
}

async::Task<> find_client_name(Session& s)
{
    s.client.address = s.stream.peer().ip();
    s.client.port = std::to_string(s.stream.peer().port());
    if (s.config.smtpd_peername_lookup) {
        auto found = co_await s.service.resolver.reverse(s.stream.peer(), true);
        auto status = found.reverse == dns::Status::try_again ? NameStatus::try_again : NameStatus::none;
        s.client.name = found.name;
        s.client.reverse_name = found.reverse_name;
        s.client.name_status = found.name == "unknown" ? status : NameStatus::known;
        s.client.reverse_status = found.reverse_name == "unknown" ? status : NameStatus::known;
    }
    s.client.trusted = s.service.trusted_networks.contains(s.client.name, s.client.address);
}

async::Task<bool> start_wrapped_tls(Session& s)
{
    if (!s.service.tls) {
        base::log::warning("smtpd_tls_wrappermode without TLS: connection from {} refused", s.client.text());
        co_return false;
    }
    try {
        s.tls = co_await tls::accept(s.stream, *s.service.tls, s.config.smtpd_starttls_timeout);
        co_return true;
    } catch (const tls::Failed& failure) {
        base::log::info("SSL_accept error from {}: {}", s.client.text(), failure.what());
    }
    co_return false;
}

// Counts a client while its session lives.
struct Counted {
    Counted(Service& service, std::string address) : service(service), address(std::move(address)), allowed(service.connected(this->address)) {}
    ~Counted() { service.disconnected(address); }
    Service& service;
    std::string address;
    bool allowed;
};

async::Task<> serve_network(Session& s)
{
    co_await find_client_name(s);
    base::log::info("connect from {}", s.client.text());
    Counted counted(s.service, s.client.address);
    if (!counted.allowed && !s.service.limit_exceptions.contains(s.client.name, s.client.address)) {
        base::log::warning("Connection concurrency limit exceeded: {} from {}", s.config.smtpd_client_connection_count_limit, s.client.text());
        s.say({421, "4.7.0", s.config.myhostname + " Error: too many connections from " + s.client.address});
        co_return;
    }
    if (s.config.smtpd_tls_wrappermode) {
        bool secured = co_await start_wrapped_tls(s);
        if (!secured) co_return;
    }
    co_await converse(s);
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
        base::log::info("timeout after {} from {}", s.last_command, s.client.text());
        s.say({421, "4.4.2", s.config.myhostname + " Error: timeout exceeded"});
    } else if (gone) {
        base::log::info("lost connection after {} from {}", s.last_command, s.client.text());
    } else if (!trouble.empty()) {
        base::log::warning("{}: {}", s.client.text(), trouble);
        s.say({421, "4.3.0", s.config.myhostname + " Error: internal trouble"});
    }
    s.mail.reset();
}

void know_local_user(Session& s, uid_t uid)
{
    s.client.uid = uid;
    s.client.name = "localhost";
    s.client.address = "127.0.0.1";
    s.client.trusted = true;
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
