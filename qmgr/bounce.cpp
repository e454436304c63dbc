#include "bounce.h"

#include "manager.h"

#include "async/offload.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "mail/address.h"
#include "mail/header.h"
#include "spool/intake.h"

namespace qmgr {
namespace {

std::string reporting_mta(const config::Config& config) { return "dns; " + config.myhostname; }

base::Wall wall(int64_t seconds) { return base::Wall(std::chrono::seconds(seconds)); }

// Replies and addresses are others' words: none of them makes a line of its own.
std::string one_line(std::string_view text) { return base::printable(text, 2000); }

// RFC 3464 2.2: facts of the whole message.
std::string message_fields(const config::Config& config, const Message& message)
{
    std::string text = "Reporting-MTA: " + reporting_mta(config) + "\r\n";
    if (std::string envid = message.envelope.attribute("envid"); !envid.empty()) text += "Original-Envelope-Id: " + base::to_xtext(envid) + "\r\n";
    text += fmt::format("X-{}-Queue-ID: {}\r\n", config.mail_name, message.id);
    text += fmt::format("X-{}-Sender: rfc822; {}\r\n", config.mail_name, one_line(mail::to_external(message.envelope.sender)));
    text += "Arrival-Date: " + base::mail_date(wall(message.arrival_seconds())) + "\r\n";
    return text;
}

// RFC 6533 3: an address beyond ASCII has a type of its own.
std::string typed_address(const std::string& address)
{
    std::string external = one_line(mail::to_external(address));
    return (base::is_ascii(external) ? "rfc822; " : "utf-8; ") + external;
}

// RFC 3464 2.3.6: the other server's own words, out of "host NAME[ADDR] said: REPLY (in reply to COMMAND command)".
std::string_view reply_in(std::string_view text)
{
    constexpr std::string_view before = " said: ", after = " (in reply to ";
    size_t start = text.find(before);
    if (start == std::string_view::npos) return {};
    std::string_view reply = text.substr(start + before.size());
    return reply.substr(0, reply.rfind(after));
}

// RFC 3464 2.3: facts of one recipient.
std::string recipient_fields(const RecipientState& state)
{
    std::string text = "\r\nFinal-Recipient: " + typed_address(state.recipient.address) + "\r\n";
    if (!state.recipient.dsn_original.empty())
        text += "Original-Recipient: " + one_line(state.recipient.dsn_original) + "\r\n";
    else if (!state.recipient.original.empty() && state.recipient.original != state.recipient.address)
        text += "Original-Recipient: " + typed_address(state.recipient.original) + "\r\n";
    text += "Action: failed\r\n";
    std::string dsn = state.dsn.empty() ? "5.0.0" : one_line(state.dsn);
    text += "Status: " + dsn + "\r\n";
    if (!state.remote.empty()) text += "Remote-MTA: dns; " + one_line(std::string(base::cut(state.remote, '[').before)) + "\r\n";
    std::string reply(reply_in(state.text));
    text += mail::fold_field("Diagnostic-Code", reply.empty() ? "X-Rookpost; " + one_line(state.text) : "smtp; " + one_line(reply));
    text += "Last-Attempt-Date: " + base::mail_date(wall(state.last_attempt)) + "\r\n";
    return text;
}

std::string wrap(const std::string& text)
{
    std::string out, line = "   ";
    for (auto word : base::split(text, " ")) {
        if (line.size() + word.size() > 74 && line.size() > 3) {
            out += line + "\r\n";
            line = "   ";
        }
        line += " ";
        line += word;
    }
    return out + line + "\r\n";
}

bool wants_failure(const spool::Recipient& recipient)
{
    return recipient.notify == 0 || (recipient.notify & spool::notify_failure) != 0;
}

std::string words(const config::Config& config, const Message& message)
{
    std::string text = fmt::format("This is the mail system at host {}.\r\n\r\n"
                                   "I'm sorry to have to inform you that your message could not\r\n"
                                   "be delivered to one or more recipients. It's attached below.\r\n\r\n"
                                   "For further assistance, please send mail to postmaster.\r\n\r\n"
                                   "If you do so, please include this problem report. You can\r\n"
                                   "delete your own text from the attached returned message.\r\n\r\n"
                                   "                   The mail system\r\n",
                                   config.myhostname);
    for (const auto& state : message.recipients) {
        if (state.state != RecipientState::bounced || !wants_failure(state.recipient)) continue;
        std::string line = "<" + state.recipient.address + ">";
        if (!state.recipient.original.empty() && state.recipient.original != state.recipient.address)
            line += " (expanded from <" + state.recipient.original + ">)";
        text += "\r\n" + wrap(one_line(line + ": " + state.text)).substr(4);
    }
    return text;
}

} // namespace

std::string make_bounce(const config::Config& config, const Message& message, const std::string& bounce_id, const std::string& to,
                        std::string_view original, bool whole_message)
{
    std::string boundary = bounce_id + "/" + config.myhostname;
    std::string fields;
    for (const auto& state : message.recipients)
        if (state.state == RecipientState::bounced && wants_failure(state.recipient)) fields += recipient_fields(state);
    bool utf8 = !base::is_ascii(fields) || !base::is_ascii(to);
    std::string text;
    text += fmt::format("From: MAILER-DAEMON@{} (Mail Delivery System)\r\n", config.myhostname);
    text += "Subject: Undelivered Mail Returned to Sender\r\n";
    text += "To: " + one_line(mail::to_external(to)) + "\r\n";
    text += "Auto-Submitted: auto-replied\r\n";
    text += "MIME-Version: 1.0\r\n";
    text += fmt::format("Content-Type: multipart/report; report-type={}delivery-status;\r\n\tboundary=\"{}\"\r\n", utf8 ? "global-" : "", boundary);
    text += "Content-Transfer-Encoding: 8bit\r\n\r\n";
    text += "This is a MIME-encapsulated message.\r\n";
    text += fmt::format("\r\n--{}\r\nContent-Description: Notification\r\nContent-Type: text/plain; charset={}\r\n"
                        "Content-Transfer-Encoding: 8bit\r\n\r\n", boundary, utf8 ? "utf-8" : "us-ascii");
    text += words(config, message);
    text += fmt::format("\r\n--{}\r\nContent-Description: Delivery report\r\nContent-Type: message/{}delivery-status\r\n"
                        "Content-Transfer-Encoding: 8bit\r\n\r\n", boundary, utf8 ? "global-" : "");
    text += message_fields(config, message) + fields;
    text += fmt::format("\r\n--{}\r\nContent-Description: Undelivered Message{}\r\nContent-Type: {}\r\n"
                        "Content-Transfer-Encoding: {}\r\n\r\n",
                        boundary, whole_message ? "" : " Headers", whole_message ? "message/rfc822" : "text/rfc822-headers",
                        base::is_ascii(original) ? "7bit" : "8bit");
    text += original;
    if (text.size() < 2 || text.substr(text.size() - 2) != "\r\n") text += "\r\n";
    text += fmt::format("\r\n--{}--\r\n", boundary);
    return text;
}

async::Task<> send_bounce(Manager& manager, Message& message)
{
    const config::Config& config = manager.config();
    bool any = std::any_of(message.recipients.begin(), message.recipients.end(), [](const auto& state) {
        return state.state == RecipientState::bounced && wants_failure(state.recipient);
    });
    if (!any) co_return;
    // RFC 5321 6.1: a notice is never answered by a notice.
    if (message.envelope.sender.empty() || message.envelope.sender == config.double_bounce_sender + "@" + config.myorigin) {
        base::log::info("{}: undeliverable notification discarded", message.id);
        co_return;
    }
    std::vector<std::string> recipients = manager.address_maps().expand_virtual(message.envelope.sender);
    base::Fd original = manager.folders().open_to_read(message.place, message.id);
    bool headers_only = message.envelope.attribute("ret") == "HDRS" ||
                        static_cast<int64_t>(message.head.content_length) > config.bounce_size_limit;
    spool::Head head = message.head;
    auto limit = static_cast<size_t>(config.bounce_size_limit);
    auto read = [fd = std::move(original), head, limit, id = message.id] { return spool::read_content(fd.get(), head, id, limit); };
    std::string content = co_await async::offload(std::move(read));
    if (headers_only) content.resize(mail::header_end(content).fields_end);

    Manager::NewFile file = manager.create();
    spool::Origin origin;
    origin.arrival = now_microseconds();
    origin.complete_headers = true;
    origin.received = fmt::format("Received: by {} ({})\r\n\tid {}; {}\r\n", config.myhostname, config.mail_name, file.id,
                                  base::mail_date(base::wall_now()));
    spool::Intake intake(config, std::move(origin), file.id);
    for (auto& address : recipients) {
        spool::Recipient recipient;
        recipient.address = std::move(address);
        recipient.original = message.envelope.sender;
        intake.add_recipient(std::move(recipient));
    }
    std::string notice = make_bounce(config, message, file.id, message.envelope.sender, content, !headers_only);
    intake.add(notice);
    spool::ContentSeen seen;
    seen.has_8bit = !base::is_ascii(notice);
    seen.has_leading_dot = notice.find("\r\n.") != std::string::npos;
    auto blocks = intake.finish(seen);
    auto keep = [fd = file.fd.duplicate(), blocks = std::move(blocks), id = file.id] { spool::write_blocks(fd.get(), blocks, true, id); };
    base::log::info_as("cleanup", fmt::format("{}: message-id={}", file.id, intake.message_id()));
    std::exception_ptr trouble;
    try {
        co_await async::offload(std::move(keep));
    } catch (const base::SystemError&) {
        trouble = std::current_exception();
    }
    if (trouble) {
        manager.folders().remove({spool::Queue::incoming}, file.id);
        std::rethrow_exception(trouble);
    }
    base::log::info_as("bounce", fmt::format("{}: sender non-delivery notification: {}", message.id, file.id));
    manager.accept(file.id, std::move(file.fd));
}

} // namespace qmgr
