#include "notices/report.h"

#include "base/clock.h"
#include "base/text.h"
#include "mail/address.h"
#include "mail/header.h"

#include <chrono>

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

// RFC 3464 2.3.3: what became of it, and its status where the agent gave none.
struct Action {
    std::string word, default_status;
};
Action action_of(NoticeKind kind, const RecipientState& state)
{
    switch (kind) {
    case NoticeKind::failure: return {"failed", "5.0.0"};
    case NoticeKind::delay: return {"delayed", "4.0.0"};
    default: return {state.action.empty() ? "delivered" : one_line(state.action), "2.0.0"};
    }
}

// RFC 3464 2.3: facts of one recipient.
std::string recipient_fields(const config::Config& config, const Message& message, NoticeKind kind, const RecipientState& state)
{
    std::string text = "\r\nFinal-Recipient: " + typed_address(state.recipient.address) + "\r\n";
    if (!state.recipient.dsn_original.empty())
        text += "Original-Recipient: " + one_line(state.recipient.dsn_original) + "\r\n";
    else if (!state.recipient.original.empty() && state.recipient.original != state.recipient.address)
        text += "Original-Recipient: " + typed_address(state.recipient.original) + "\r\n";
    Action action = action_of(kind, state);
    text += "Action: " + action.word + "\r\n";
    text += "Status: " + (state.dsn.empty() ? action.default_status : one_line(state.dsn)) + "\r\n";
    if (!state.remote.empty()) text += "Remote-MTA: dns; " + one_line(std::string(base::cut(state.remote, '[').before)) + "\r\n";
    std::string reply(reply_in(state.text));
    text += mail::fold_field("Diagnostic-Code", reply.empty() ? "X-Rookpost; " + one_line(state.text) : "smtp; " + one_line(reply));
    if (state.last_attempt > 0) text += "Last-Attempt-Date: " + base::mail_date(wall(state.last_attempt)) + "\r\n";
    if (kind == NoticeKind::delay) {
        auto lifetime = std::chrono::duration_cast<std::chrono::seconds>(config.maximal_queue_lifetime).count();
        text += "Will-Retry-Until: " + base::mail_date(wall(message.arrival_seconds() + lifetime)) + "\r\n";
    }
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

std::string words(const config::Config& config, const config::NoticeTemplate& wording, const Message& message, const Notice& notice)
{
    std::string text = base::replace_all(config::expand_notice(wording.body, config), "\n", "\r\n");
    for (uint32_t number : notice.recipients) {
        const RecipientState& state = message.recipients[number];
        std::string line = "<" + state.recipient.address + ">";
        if (!state.recipient.original.empty() && state.recipient.original != state.recipient.address)
            line += " (expanded from <" + state.recipient.original + ">)";
        text += "\r\n" + wrap(one_line(line + ": " + state.text)).substr(4);
    }
    return text;
}

const config::NoticeTemplate& wording_of(const config::NoticeTemplates& templates, NoticeKind kind)
{
    return kind == NoticeKind::failure ? templates.failure : kind == NoticeKind::delay ? templates.delay : templates.success;
}

// "MAILER-DAEMON (Mail Delivery System)": the address gets our domain.
std::string from_field(const config::Config& config, const std::string& from)
{
    auto cut = base::cut(from, ' ');
    if (from.find('@') != std::string::npos) return from;
    return fmt::format("{}@{}{}{}", cut.before, config.myorigin, cut.found ? " " : "", cut.after);
}

std::string header(const config::Config& config, const config::NoticeTemplate& wording, const Notice& notice, const std::string& boundary, bool utf8)
{
    std::string text;
    text += "From: " + from_field(config, wording.from) + "\r\n";
    text += "Subject: " + (notice.postmaster_copy ? wording.postmaster_subject : wording.subject) + "\r\n";
    text += "To: " + one_line(mail::to_external(notice.to)) + "\r\n";
    if (!notice.in_reply_to.empty()) {
        std::string id = one_line(notice.in_reply_to);
        text += "References: " + id + "\r\nIn-Reply-To: " + id + "\r\n";
    }
    text += "Auto-Submitted: auto-replied\r\n";
    text += "MIME-Version: 1.0\r\n";
    text += fmt::format("Content-Type: multipart/report; report-type={}delivery-status;\r\n\tboundary=\"{}\"\r\n", utf8 ? "global-" : "", boundary);
    text += "Content-Transfer-Encoding: 8bit\r\n\r\n";
    return text + "This is a MIME-encapsulated message.\r\n";
}

// RFC 6533 5: the returned message has types of its own when the report has.
std::string returned_type(const Notice& notice, bool utf8)
{
    if (notice.whole_message) return utf8 ? "message/global" : "message/rfc822";
    return utf8 ? "message/global-headers" : "text/rfc822-headers";
}

} // namespace

std::string write_notice(const config::Config& config, const config::NoticeTemplates& templates, const Message& message, const Notice& notice,
                         std::string_view original)
{
    const config::NoticeTemplate& wording = wording_of(templates, notice.kind);
    std::string boundary = notice.id + "/" + config.myhostname;
    std::string fields;
    for (uint32_t number : notice.recipients) fields += recipient_fields(config, message, notice.kind, message.recipients[number]);
    bool utf8 = !base::is_ascii(fields) || !base::is_ascii(notice.to);
    std::string text = header(config, wording, notice, boundary, utf8);
    std::string told = words(config, wording, message, notice);
    std::string charset = base::is_ascii(told) ? wording.charset : utf8 || base::same_word(wording.charset, "us-ascii") ? "utf-8" : wording.charset;
    text += fmt::format("\r\n--{}\r\nContent-Description: Notification\r\nContent-Type: text/plain; charset={}\r\n"
                        "Content-Transfer-Encoding: 8bit\r\n\r\n", boundary, charset);
    text += told;
    text += fmt::format("\r\n--{}\r\nContent-Description: Delivery report\r\nContent-Type: message/{}delivery-status\r\n"
                        "Content-Transfer-Encoding: 8bit\r\n\r\n", boundary, utf8 ? "global-" : "");
    text += message_fields(config, message) + fields;
    text += fmt::format("\r\n--{}\r\nContent-Description: {}Message{}\r\nContent-Type: {}\r\n"
                        "Content-Transfer-Encoding: {}\r\n\r\n",
                        boundary, notice.kind == NoticeKind::success ? "" : "Undelivered ", notice.whole_message ? "" : " Headers",
                        returned_type(notice, utf8), base::is_ascii(original) ? "7bit" : "8bit");
    text += original;
    if (text.size() < 2 || text.substr(text.size() - 2) != "\r\n") text += "\r\n";
    text += fmt::format("\r\n--{}--\r\n", boundary);
    return text;
}

} // namespace qmgr
