#include "filters/milters.h"

#include "filters/milter_message.h"
#include "session.h"

#include "base/log.h"
#include "base/text.h"
#include "mail/address.h"

namespace smtpd {
namespace {

smtp::Reply reply_of(const std::string& text)
{
    smtp::ReplyReader reader;
    auto lines = base::split_exact(text, '\n');
    try {
        for (size_t i = 0; i < lines.size(); ++i) {
            std::string line(lines[i]);
            // The last line ends the reply, whatever stands behind its code.
            if (i + 1 == lines.size() && line.size() > 3) line[3] = ' ';
            if (i + 1 < lines.size() && line.size() > 3) line[3] = '-';
            reader.add_line(line);
        }
        if (reader.complete()) return reader.take();
    } catch (const smtp::BadReply&) {
    }
    return smtp::Reply::parse(lines.front()).value_or(smtp::Reply{451, "4.7.1", "Service unavailable - try again later"});
}

// "FROM:<a@b> SIZE=1": the path as a milter wants it, and the parameters.
std::vector<std::string> event_arguments(std::string_view arguments, const std::string& address)
{
    std::vector<std::string> words{"<" + address + ">"};
    size_t end = arguments.find("> ");
    if (end == std::string_view::npos) return words;
    for (auto word : base::split(arguments.substr(end + 1), " \t")) words.emplace_back(word);
    return words;
}

} // namespace

Milters::Milters(Session& session, MilterSettings& settings, const MilterSettings::Services& services) : session_(session), settings_(settings)
{
    macro_value_ = [this](std::string_view name) { return macro(name); };
    milters_.reserve(services.size());
    for (const auto& service : services) milters_.emplace_back(service, macro_value_);
}

// Intake has it as soon as content comes.
spool::Treatment& Milters::treatment()
{
    Transaction& mail = *session_.mail;
    return mail.intake ? mail.intake->treatment() : mail.treatment;
}

std::string Milters::log_line(std::string_view event, std::string_view where, const std::string& text) const
{
    const Session& s = session_;
    std::string line = fmt::format("{}: {}: {} from {}: {};", s.queue_id(), event, where, s.client.text(), text);
    if (s.mail) line += fmt::format(" from=<{}>", s.mail->sender);
    if (!rcpt_.address.empty()) line += fmt::format(" to=<{}>", rcpt_.address);
    line += fmt::format(" proto={}", s.client.protocol);
    if (!s.client.helo.empty()) line += fmt::format(" helo=<{}>", s.client.helo);
    return line;
}

Milters::Refusal Milters::carry_out(const milter::Decision& decision, std::string_view where)
{
    bool content = where == "END-OF-MESSAGE";
    auto log = [&](std::string_view event, const std::string& text) {
        std::string line = log_line(event, where, text);
        if (content || session_.service.letterbox)
            base::log::info_as("cleanup", line);
        else
            base::log::info("{}", line);
    };
    switch (decision.kind) {
    case milter::Decision::go_on: return std::nullopt;
    case milter::Decision::hold:
        hold_all_ = hold_all_ || !session_.mail;
        if (session_.mail && std::exchange(treatment().hold, true)) return std::nullopt;
        log("milter-hold", "milter triggers HOLD action");
        return std::nullopt;
    case milter::Decision::discard:
        if (session_.mail) treatment().discard = true;
        log("milter-discard", "milter triggers DISCARD action");
        return std::nullopt;
    case milter::Decision::shut_down:
        log("milter-reject", "421 4.7.0 Server closing connection");
        return smtp::Reply{421, "4.7.0", "Server closing connection"};
    case milter::Decision::refuse: break;
    }
    smtp::Reply reply = reply_of(decision.reply);
    // cleanup(8) logs the status and text, smtpd(8) the reply.
    log("milter-reject", content ? base::printable(reply.line().substr(4)) : reply.line());
    return reply;
}

milter::Peer Milters::peer() const
{
    milter::Peer peer;
    peer.name = session_.client.name == "unknown" ? "[" + session_.client.address + "]" : session_.client.name;
    if (session_.client.address == "unknown") return peer;
    peer.address = session_.client.address;
    peer.family = peer.address.find(':') == std::string::npos ? milter::Peer::ipv4 : milter::Peer::ipv6;
    if (!session_.service.letterbox) peer.port = base::number<uint16_t>(session_.client.port).value_or(0);
    return peer;
}

Milters::Hop Milters::hop(const std::string& address)
{
    Hop hop;
    hop.address = mail::to_external(address);
    try {
        auto route = session_.service.router.route(address, session_.mail ? session_.mail->sender : "");
        hop.host = route.nexthop;
        hop.mailer = route.transport;
    } catch (const maps::Unavailable& trouble) {
        base::log::warning("{}", trouble.what());
    }
    return hop;
}

async::Task<Milters::Refusal> Milters::connect()
{
    milter::Peer client = peer();
    milter::Decision decision;
    for (auto& each : milters_) {
        decision = co_await each.connect(client);
        if (decision) break;
    }
    auto refusal = carry_out(decision, "CONNECT");
    if (refusal && refusal->code < 500 && refusal->code != 421) co_return std::nullopt;
    co_return refusal;
}

async::Task<Milters::Refusal> Milters::helo()
{
    co_await transaction_over();
    milter::Decision decision;
    for (auto& each : milters_) {
        decision = co_await each.helo(session_.client.helo);
        if (decision) break;
    }
    auto refusal = carry_out(decision, session_.last_command);
    if (refusal && refusal->code != 421) co_return std::nullopt;
    co_return refusal;
}

async::Task<Milters::Refusal> Milters::mail(std::string arguments)
{
    in_transaction_ = true;
    mail_ = hop(session_.mail->sender);
    rcpt_ = {};
    if (hold_all_) treatment().hold = true;
    std::vector<std::string> words = event_arguments(arguments, mail_.address);
    milter::Decision decision;
    for (auto& each : milters_) {
        decision = co_await each.mail(words);
        if (decision) break;
    }
    co_return carry_out(decision, "MAIL");
}

async::Task<Milters::Refusal> Milters::rcpt(std::string arguments, std::string address)
{
    if (session_.mail->treatment.discard) co_return std::nullopt;
    rcpt_ = hop(address);
    std::vector<std::string> words = event_arguments(arguments, rcpt_.address);
    milter::Decision decision;
    for (auto& each : milters_) {
        decision = co_await each.rcpt(words);
        if (decision) break;
    }
    co_return carry_out(decision, "RCPT");
}

async::Task<> Milters::rejected_rcpt(std::string arguments, smtp::Reply reply)
{
    Hop before = std::exchange(rcpt_, Hop{reply.text, reply.enhanced, "error"});
    auto path = smtp::parse_path(base::cut(arguments, ':').after);
    std::vector<std::string> words = event_arguments(arguments, path ? path->external() : "");
    for (auto& each : milters_)
        if (each.wants_rejected_recipients()) co_await each.rcpt(words);
    rcpt_ = before;
}

async::Task<Milters::Refusal> Milters::data()
{
    milter::Decision decision;
    if (session_.mail->treatment.discard) co_return std::nullopt;
    for (auto& each : milters_) {
        decision = co_await each.data();
        if (decision) break;
    }
    co_return carry_out(decision, "DATA");
}

async::Task<Milters::Refusal> Milters::unknown(std::string line)
{
    milter::Decision decision;
    for (auto& each : milters_) {
        decision = co_await each.unknown(line);
        if (decision) break;
    }
    co_return carry_out(decision, "UNKNOWN");
}

Milters::Refusal Milters::standing()
{
    for (auto& each : milters_)
        if (each.standing()) return carry_out(each.standing(), session_.last_command);
    return std::nullopt;
}

async::Task<Milters::Refusal> Milters::message(cleanup::Intake& intake)
{
    if (intake.treatment().discard) co_return std::nullopt;
    TakenMessage view(intake, session_.mail->file.fd().duplicate(), session_.service);
    Refusal refusal;
    for (auto& each : milters_) {
        milter::Decision decision = co_await each.message(view);
        view.finish_changes();
        if (view.failed()) co_return smtp::Reply{451, "4.3.0", "Error: temporary lookup failure"};
        refusal = carry_out(decision, "END-OF-MESSAGE");
        if (const auto& checked = intake.refusal(); checked && !refusal) refusal = smtp::Reply{checked->code, checked->dsn, checked->text};
        if (refusal || intake.treatment().discard) break;
    }
    view.finish();
    co_return refusal;
}

async::Task<> Milters::transaction_over()
{
    if (!std::exchange(in_transaction_, false)) co_return;
    for (auto& each : milters_) co_await each.abort();
    mail_ = rcpt_ = {};
}

async::Task<Milters::Refusal> meet_milters(Session& s)
{
    if (!s.service.milters.any()) co_return std::nullopt;
    const auto& services = s.service.milters.for_client(s.client.address);
    if (services.empty()) co_return std::nullopt;
    s.milters = std::make_unique<Milters>(s, s.service.milters, services);
    auto refusal = co_await s.milters->connect();
    co_return refusal;
}

async::Task<> Milters::quit()
{
    for (auto& each : milters_) co_await each.quit();
}

} // namespace smtpd
