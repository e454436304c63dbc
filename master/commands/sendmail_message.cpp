#include "sendmail_message.h"

#include "base/error.h"
#include "base/text.h"
#include "mail/address.h"
#include "mail/header.h"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>

namespace sendmail {
namespace {

// Where the message ends when a lone dot ends it; npos while it was not seen. A dot counts at a line's start only.
size_t lone_dot(std::string_view text, size_t from)
{
    size_t at = from;
    while (at < text.size()) {
        size_t end = text.find('\n', at);
        if (end == std::string_view::npos) return std::string_view::npos;
        std::string_view line = text.substr(at, end - at);
        if (line == "." || line == ".\r") return at;
        at = end + 1;
    }
    return std::string_view::npos;
}

// UUCP and mbox leave a line "From user date" on top (RFC 976 2.4).
std::string_view without_mbox_line(std::string_view text)
{
    for (std::string_view start : {"From ", ">From "})
        if (text.substr(0, start.size()) == start) {
            size_t end = text.find('\n');
            return end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
        }
    return text;
}

bool is_recipient_field(std::string_view name, bool resent)
{
    static constexpr std::string_view plain[] = {"To", "Cc", "Bcc"}, again[] = {"Resent-To", "Resent-Cc", "Resent-Bcc"};
    auto named = [&](std::string_view word) { return base::same_word(word, name); };
    return resent ? std::any_of(std::begin(again), std::end(again), named) : std::any_of(std::begin(plain), std::end(plain), named);
}

void add_address(std::string address, std::vector<std::string>& recipients)
{
    if (address.empty() || std::find(recipients.begin(), recipients.end(), address) != recipients.end()) return;
    recipients.push_back(std::move(address));
}

// -t: RFC 5322 3.6.6: where the message was resent, those are meant.
void read_recipients(std::string_view content, std::vector<std::string>& recipients)
{
    bool resent = false;
    for (const mail::Field& field : mail::Fields(content, mail::BadLine::ends_header)) resent = resent || is_recipient_field(field.name, true);
    for (const mail::Field& field : mail::Fields(content, mail::BadLine::ends_header)) {
        if (!is_recipient_field(field.name, resent)) continue;
        for (auto& address : mail::mailboxes(field.value)) add_address(std::move(address), recipients);
    }
}

void add_arguments(const Options& options, std::vector<std::string>& recipients)
{
    for (const auto& word : options.recipients)
        for (auto& address : mail::mailboxes(word)) add_address(std::move(address), recipients);
}

} // namespace

std::optional<std::string> mbox_sender(std::string_view raw)
{
    std::string_view line = raw.substr(0, raw.find('\n'));
    if (line.starts_with('>')) line.remove_prefix(1);
    auto words = base::split(line);
    if (words.size() < 2 || words[0] != "From") return std::nullopt;
    // RFC 976 2.4: where it came from stands at the end.
    bool remote = words.size() > 4 && words[words.size() - 3] == "remote" && words[words.size() - 2] == "from";
    return remote ? fmt::format("{}!{}", words.back(), words[1]) : std::string(words[1]);
}

std::string read_message(int fd, bool dot_ends, uint64_t limit)
{
    std::string text;
    char buffer[65536];
    size_t line_start = 0;
    while (true) {
        ssize_t got = ::read(fd, buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw base::SystemError("read standard input");
        if (got == 0) break;
        text.append(buffer, static_cast<size_t>(got));
        if (dot_ends) {
            size_t dot = lone_dot(text, line_start);
            if (dot != std::string::npos) {
                text.resize(dot);
                break;
            }
            size_t last = text.rfind('\n');
            line_start = last == std::string::npos ? 0 : last + 1;
        }
        if (limit > 0 && text.size() > limit + (1 << 20)) throw TooBig("message file too big");
    }
    // End of file after a dot without its line end counts too.
    if (dot_ends && text.substr(line_start) == ".") text.resize(line_start);
    return text;
}

Prepared prepare(std::string_view raw, const Options& options, const std::string& from_field)
{
    Prepared prepared;
    std::string clean;
    std::string_view text = without_mbox_line(raw);
    if (text.find('\0') != std::string_view::npos) {
        clean = text;
        std::erase(clean, '\0');
        text = clean;
    }
    smtp::Canonicalizer canonical;
    prepared.content.reserve(text.size() + text.size() / 32 + 256);
    canonical.feed(text, prepared.content);
    canonical.finish(prepared.content);
    prepared.facts = canonical.facts();
    // Exim's -t: what the command line names gets no mail.
    bool taken_out = options.recipients_from_header && options.without_arguments;
    if (!taken_out) add_arguments(options, prepared.recipients);
    if (options.recipients_from_header) read_recipients(prepared.content, prepared.recipients);
    if (taken_out) {
        std::vector<std::string> unwanted;
        add_arguments(options, unwanted);
        std::erase_if(prepared.recipients, [&](const auto& one) { return std::find(unwanted.begin(), unwanted.end(), one) != unwanted.end(); });
    }
    if (!from_field.empty() && !mail::find_field(prepared.content, "From")) prepared.content.insert(0, from_field);
    return prepared;
}

std::string make_dialogue(const Prepared& message, const std::string& sender, const Options& options)
{
    bool utf8 = options.utf8 || !base::is_ascii(sender) ||
                std::any_of(message.recipients.begin(), message.recipients.end(), [](const auto& r) { return !base::is_ascii(r); });
    std::string text = "EHLO localhost\r\n";
    text += fmt::format("MAIL FROM:<{}>", mail::to_external(sender));
    if (!options.body.empty() || message.facts.has_8bit)
        text += " BODY=" + (message.facts.has_8bit ? std::string("8BITMIME") : options.body);
    if (utf8) text += " SMTPUTF8";
    if (!options.ret.empty()) text += base::starts_with_word(options.ret, "h") ? " RET=HDRS" : " RET=FULL";
    if (!options.envid.empty()) text += " ENVID=" + base::to_xtext(options.envid);
    text += "\r\n";
    for (const auto& recipient : message.recipients) {
        text += fmt::format("RCPT TO:<{}>", mail::to_external(recipient));
        if (!options.notify.empty()) text += " NOTIFY=" + base::upper(options.notify);
        text += "\r\n";
    }
    text += fmt::format("BDAT {} LAST\r\n", message.content.size());
    text += message.content;
    return text + "QUIT\r\n";
}

} // namespace sendmail
