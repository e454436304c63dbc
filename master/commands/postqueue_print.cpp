#include "postqueue_print.h"

#include "base/clock.h"
#include "base/text.h"

#include <fmt/format.h>

#include <ctime>

namespace commands {
namespace {

// "Sun Nov 22 20:50:19", local time.
std::string arrival_text(int64_t seconds)
{
    std::time_t when = seconds;
    std::tm parts{};
    ::localtime_r(&when, &parts);
    char text[32];
    std::strftime(text, sizeof text, "%a %b %e %H:%M:%S", &parts);
    return text;
}

char status_mark(spool::Queue queue)
{
    return queue == spool::Queue::active ? '*' : queue == spool::Queue::hold ? '!' : ' ';
}

std::string quote(std::string_view text)
{
    std::string out = "\"";
    for (char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        if (static_cast<unsigned char>(c) < 0x20)
            out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        else
            out += c;
    }
    return out + "\"";
}

} // namespace

std::string listing_heading()
{
    return fmt::format("{:<17} {:<8} {:<19} {}\n", "----Queue ID-----", "--Size--", "---Arrival Time----", "--Sender/Recipient------");
}

// Recipients are gathered below the reason that they share, as Postfix's showq does.
std::string listing_entry(const spool::ListedMessage& message)
{
    std::string text = fmt::format("{:<17} {:>8} {:>19.19} {}\n", message.id + status_mark(message.queue), message.size,
                                   arrival_text(message.arrival), message.sender.empty() ? "MAILER-DAEMON" : message.sender);
    std::string reason;
    for (const auto& recipient : message.recipients) {
        if (recipient.reason != reason) {
            reason = recipient.reason;
            if (!reason.empty()) text += fmt::format("{:>78}\n", "(" + reason + ")");
        }
        text += fmt::format("{:<17} {:>8} {:>19} {}\n", "", "", "", recipient.address);
    }
    return text + "\n";
}

std::string listing_end(size_t count, uint64_t bytes)
{
    if (count == 0) return "Mail queue is empty\n";
    return fmt::format("-- {} Kbytes in {} Request{}.\n", bytes / 1024, count, count == 1 ? "" : "s");
}

std::string json_line(const spool::ListedMessage& message)
{
    std::string text = fmt::format("{{\"queue_name\": {}, \"queue_id\": {}, \"arrival_time\": {}, \"message_size\": {}, \"forced_expire\": {}, \"sender\": {}, \"recipients\": [",
                                   quote(spool::queue_name(message.queue)), quote(message.id), message.arrival, message.size,
                                   message.forced_expiry, quote(message.sender));
    bool first = true;
    for (const auto& recipient : message.recipients) {
        if (!first) text += ", ";
        first = false;
        text += "{\"address\": " + quote(recipient.address);
        if (!recipient.original.empty() && recipient.original != recipient.address) text += ", \"orig_address\": " + quote(recipient.original);
        if (!recipient.reason.empty()) text += ", \"delay_reason\": " + quote(recipient.reason);
        text += "}";
    }
    return text + "]}\n";
}

} // namespace commands
