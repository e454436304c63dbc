#include "transaction.h"

#include "restrictions/stages.h"
#include "session.h"

#include "async/offload.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "mail/address.h"
#include "sandbox/sandbox.h"

namespace smtpd {
namespace {

int64_t microseconds_now()
{
    return std::chrono::duration_cast<std::chrono::microseconds>(base::wall_now().time_since_epoch()).count();
}

std::string user_name(uid_t uid)
{
    try {
        return sandbox::find_user(uid).name;
    } catch (const std::exception&) {
        return std::to_string(uid);
    }
}

// RFC 5321 4.4, in Postfix's form.
std::string received_field(const Session& s)
{
    const Transaction& mail = *s.mail;
    std::string date = base::mail_date(base::wall_now());
    std::string id = mail.file ? " id " + mail.file.id() : "";
    if (s.config.smtpd_hide_client_session && !s.client.uid)
        return fmt::format("Received: by {} ({}){}; {}\r\n", s.config.myhostname, s.config.mail_name, id, date);
    if (s.client.uid)
        return fmt::format("Received: by {} ({}, from userid {})\r\n\tid {}; {}\r\n", s.config.myhostname, s.config.mail_name, *s.client.uid,
                           mail.file.id(), date);
    std::string field = fmt::format("Received: from {} ({} [{}])\r\n", s.client.helo, s.client.name,
                                    s.client.is_ipv6() ? "IPv6:" + s.client.address : s.client.address);
    if (s.tls && s.config.smtpd_tls_received_header) field += s.tls->received_lines(s.service.tls->settings().ask_certificate);
    if (!s.sasl_user.empty() && s.config.smtpd_sasl_authenticated_header)
        field += fmt::format("\t(Authenticated sender: {})\r\n", base::printable(s.sasl_user));
    field += fmt::format("\tby {} ({}) with {}{}", s.config.myhostname, s.config.mail_name, s.client.protocol, id);
    if (mail.recipients.size() == 1) field += fmt::format("\r\n\tfor <{}>", mail::to_external(mail.recipients[0].address));
    return field + "; " + date + "\r\n";
}

// RFC 3848: the words that tell how it came.
std::string with_protocol(const Session& s)
{
    if (s.client.protocol == "SMTP") return s.client.protocol;
    bool utf8 = s.mail->mail.smtputf8;
    std::string word = s.service.lmtp ? (utf8 ? "UTF8LMTP" : "LMTP") : (utf8 ? "UTF8SMTP" : "ESMTP");
    if (s.tls) word += 'S';
    if (!s.sasl_user.empty()) word += 'A';
    return word;
}

std::map<std::string, std::string> attributes(const Session& s)
{
    std::map<std::string, std::string> known;
    // What a relay before us says by XFORWARD goes on to the next one; what we saw ourselves stands in Received.
    const Forwarded& from = s.forwarded;
    bool forwarded = from.any();
    auto either = [](const std::string& value) { return value.empty() ? std::string("unknown") : value; };
    known["client_name"] = forwarded ? either(from.name) : s.client.name;
    known["client_address"] = forwarded ? either(from.address) : s.client.address;
    known["client_port"] = forwarded ? either(from.port) : s.client.port;
    known["helo_name"] = forwarded ? from.helo : s.client.helo;
    known["protocol_name"] = forwarded ? from.protocol : s.client.protocol;
    if (!from.ident.empty()) known["log_ident"] = from.ident;
    known["sasl_username"] = s.sasl_user;
    known["sasl_method"] = s.sasl_method;
    known["sasl_sender"] = s.mail->mail.auth.value_or("");
    known["envid"] = s.mail->mail.envid;
    if (s.mail->mail.ret == smtp::Return::headers) known["ret"] = "HDRS";
    if (s.mail->mail.ret == smtp::Return::full) known["ret"] = "FULL";
    if (s.client.uid) known["uid"] = std::to_string(*s.client.uid);
    return known;
}

// smtputf8_autodetect_classes: mail that did not ask for SMTPUTF8 and needs it nevertheless.
bool detects_utf8(const Session& s)
{
    const auto& classes = s.config.smtputf8_autodetect_classes;
    auto lists = [&](std::string_view word) {
        return std::any_of(classes.begin(), classes.end(), [&](const auto& each) { return base::same_word(each, word); });
    };
    return s.config.smtputf8_enable && (lists("all") || lists(s.service.letterbox ? "sendmail" : "smtpd"));
}

bool has_utf8_address(const Transaction& mail)
{
    return !base::is_ascii(mail.sender) ||
           std::any_of(mail.recipients.begin(), mail.recipients.end(), [](const auto& each) { return !base::is_ascii(each.address); });
}

smtp::Reply storage_reply(const base::SystemError& failure)
{
    if (failure.no_space()) return {452, "4.3.1", "Insufficient system storage"};
    return {451, "4.3.0", "Error: queue file write error"};
}

} // namespace

namespace {

async::Task<std::optional<smtp::Reply>> open_file(Session& s, std::string recipient)
{
    std::string trouble;
    try {
        s.mail->file = co_await s.service.maker.create();
    } catch (const spool::Unavailable& failure) {
        trouble = failure.what();
    }
    if (trouble.empty()) co_return std::nullopt;
    base::log::warning("queue file: {}", trouble);
    auto reply = smtp::Reply::parse((trouble.find("4.3.1") == 0 ? "452 " : "451 ") + trouble);
    if (!reply || reply->enhanced.empty()) reply = smtp::Reply{451, "4.3.0", "Error: queue file write error"};
    log_reject(s, s.last_command, *reply, recipient);
    co_return reply;
}

void log_client(const Session& s)
{
    if (s.client.uid) return base::log::info_as("pickup", fmt::format("{}: uid={} from=<{}>", s.mail->file.id(), *s.client.uid, s.mail->sender));
    std::string line = fmt::format("{}: client={}", s.queue_id(), s.client.text());
    if (!s.sasl_user.empty()) line += fmt::format(", sasl_method={}, sasl_username={}", s.sasl_method, s.sasl_user);
    if (!s.forwarded.ident.empty()) line += ", orig_queue_id=" + s.forwarded.ident;
    if (s.forwarded.any()) line += ", orig_client=" + s.forwarded.text(s.config.smtpd_client_port_logging);
    base::log::info("{}", line);
}

} // namespace

async::Task<std::optional<smtp::Reply>> open_destination(Session& s, std::string recipient)
{
    Transaction& mail = *s.mail;
    if (mail.file || mail.proxy) co_return std::nullopt;
    std::optional<smtp::Reply> refusal;
    if (s.service.has_proxy()) {
        mail.proxy = std::make_unique<Proxy>(s, mail.command);
        refusal = co_await mail.proxy->open();
        if (refusal) mail.proxy.reset();
    } else {
        refusal = co_await open_file(s, std::move(recipient));
    }
    if (!refusal) log_client(s);
    co_return refusal;
}

namespace {

std::string received_field_of_content(Session& s)
{
    std::string protocol = std::exchange(s.client.protocol, with_protocol(s));
    std::string field = received_field(s);
    s.client.protocol = protocol;
    return field;
}

// Where we stand between two filters, XFORWARD tells more than a field of ours.
void begin_content_for_proxy(Session& s)
{
    Transaction& mail = *s.mail;
    for (const std::string& field : mail.treatment.prepend) mail.decoded += field + "\r\n";
    if (!s.forwarded.any()) mail.decoded += received_field_of_content(s);
}

} // namespace

void begin_content(Session& s)
{
    Transaction& mail = *s.mail;
    mail.in_content = true;
    mail.arrival = microseconds_now();
    if (mail.proxy) return begin_content_for_proxy(s);
    cleanup::Origin origin;
    origin.sender = mail.sender;
    origin.arrival = mail.arrival;
    origin.attributes = attributes(s);
    origin.received = received_field_of_content(s);
    // What goes wrong here goes wrong for the message: the reply to its content says so.
    try {
        origin.ours = s.client.uid || s.service.rewrite_clients.contains(s);
    } catch (const maps::Unavailable& trouble) {
        base::log::warning("{}: {}", mail.file.id(), trouble.what());
        mail.failure = smtp::Reply{451, "4.3.0", "Error: queue file write error"};
    }
    if (mail.sender.empty() && s.client.uid) origin.from = user_name(*s.client.uid) + "@" + s.config.myorigin;
    if (!s.client.uid) origin.client = s.client.text();
    origin.detects_utf8 = detects_utf8(s);
    origin.utf8 = mail.mail.smtputf8 || (origin.detects_utf8 && has_utf8_address(mail));
    mail.intake = std::make_unique<cleanup::Intake>(s.service.rules, std::move(origin), mail.file.id());
    mail.intake->treatment() = std::move(mail.treatment);
    for (auto& recipient : mail.recipients) mail.intake->add_recipient(recipient);
}

async::Task<> take_content(Session& s)
{
    Transaction& mail = *s.mail;
    mail.received += mail.decoded.size();
    int64_t limit = s.config.message_size_limit;
    if (!mail.failure && limit > 0 && mail.received > static_cast<uint64_t>(limit))
        mail.failure = smtp::Reply{552, "5.3.4", "Error: message file too big"};
    if (!mail.failure && mail.proxy) mail.failure = co_await mail.proxy->add(mail.decoded);
    else if (!mail.failure) mail.intake->add(mail.decoded);
    mail.decoded.clear();
    if (mail.failure || mail.proxy || !mail.intake->full()) co_return;
    // A descriptor of its own: the session may end while the thread still writes.
    auto write = [fd = mail.file.fd().duplicate(), writes = mail.intake->take_writes(), id = mail.file.id()] {
        spool::write_blocks(fd.get(), writes, false, id);
    };
    try {
        co_await async::offload(std::move(write));
    } catch (const base::SystemError& failure) {
        base::log::warning("{}: {}", mail.file.id(), failure.what());
        mail.failure = storage_reply(failure);
    }
}

namespace {

// The milters look at the content, and may change it or object.
async::Task<std::optional<smtp::Reply>> ask_milters(Session& s)
{
    cleanup::Intake& intake = *s.mail->intake;
    try {
        auto objection = co_await s.milters->message(intake);
        // They left nobody to deliver to.
        if (!objection && !intake.has_recipients()) intake.treatment().discard = true;
        co_return objection;
    } catch (const base::SystemError& failure) {
        base::log::warning("{}: {}", s.mail->file.id(), failure.what());
    }
    co_return smtp::Reply{451, "4.3.0", "Error: queue file write error"};
}

// Makes the message durable and gives it to the queue manager; sets failure when that cannot be.
async::Task<> keep_message(Transaction& mail)
{
    std::string id = mail.file.id();
    auto keep = [fd = mail.file.fd().duplicate(), writes = mail.intake->seal(), id] { spool::write_blocks(fd.get(), writes, true, id); };
    if (auto refusal = mail.intake->refusal()) {
        mail.failure = smtp::Reply{refusal->code, refusal->dsn, refusal->text};
        co_return;
    }
    try {
        co_await async::offload(std::move(keep));
        mail.file.commit();
    } catch (const base::SystemError& failure) {
        base::log::warning("{}: {}", id, failure.what());
        mail.failure = storage_reply(failure);
    } catch (const spool::Unavailable& failure) {
        base::log::warning("{}: {}", id, failure.what());
        mail.failure = smtp::Reply{451, "4.3.0", "Error: queue file write error"};
    }
}

// Restrictions, milters, the queue. Returns whether the log knows more of a failure than we.
async::Task<bool> end_own_message(Session& s, smtp::ContentFacts facts)
{
    Transaction& mail = *s.mail;
    mail.intake->finish({facts.has_8bit, facts.has_leading_dot, facts.longest_line});
    if (auto refusal = mail.intake->refusal()) {
        mail.failure = smtp::Reply{refusal->code, refusal->dsn, refusal->text};
        co_return true;
    }
    mail.failure = co_await restrictions::check_end_of_data(s);
    if (!mail.failure && s.milters) mail.failure = co_await ask_milters(s);
    if (mail.failure) co_return true;
    // What is discarded is abandoned with the transaction, and the client is none the wiser.
    if (!mail.intake->treatment().discard) co_await keep_message(mail);
    co_return false;
}

// The reply is the filter's, whatever it is.
async::Task<smtp::Reply> end_proxied_message(Session& s)
{
    Transaction& mail = *s.mail;
    smtp::Reply reply = co_await mail.proxy->end();
    std::string line = fmt::format("proxy-{}: {}: {}; from=<{}>", reply.ok() ? "accept" : "reject", s.last_command, reply.line(), mail.sender);
    if (mail.recipients.size() == 1) line += fmt::format(" to=<{}>", mail.recipients[0].address);
    line += fmt::format(" proto={}", s.client.protocol);
    if (!s.client.helo.empty()) line += fmt::format(" helo=<{}>", s.client.helo);
    base::log::info("{}", line);
    co_return reply;
}

} // namespace

async::Task<smtp::Reply> end_content(Session& s, smtp::ContentFacts facts)
{
    Transaction& mail = *s.mail;
    bool said = false;
    std::string bytes = mail.chunks ? fmt::format("{} bytes ", mail.received) : "";
    smtp::Reply reply{250, "2.0.0", "Ok: " + bytes + "queued as " + s.queue_id()};
    if (!mail.failure && mail.proxy) {
        mail.failure = co_await restrictions::check_end_of_data(s);
        said = true;
        if (!mail.failure) reply = co_await end_proxied_message(s);
    } else if (!mail.failure) {
        said = co_await end_own_message(s, facts);
    }
    if (mail.failure) {
        reply = *mail.failure;
        if (!said) log_reject(s, "END-OF-MESSAGE", reply);
    } else if (reply.ok()) {
        s.committed = mail.file.id();
        s.junk = s.errors = 0;
    }
    // RFC 2033 4.2: one reply for each recipient that was accepted.
    if (s.service.lmtp)
        for (int64_t i = 1; i < mail.taken; ++i) s.say(reply);
    s.reset();
    co_return reply;
}

} // namespace smtpd
