#include "envelope.h"

#include "base/text.h"
#include "mail/address.h"

#include <fmt/format.h>

#include <algorithm>

namespace smtp_client {
namespace {

constexpr size_t longest_address = 2000;

// Nearly all addresses look alike quoted and unquoted.
bool is_plain(char c)
{
    return base::is_alnum(c) || c == '@' || c == '.' || c == '-' || c == '_' || c == '+' || c == '=';
}

void append_address(std::string& command, const std::string& inside, const EnvelopeForm& form)
{
    std::string address = form.tables && form.tables->rewrites() ? form.tables->outside(inside) : inside;
    bool plain = std::all_of(address.begin(), address.end(), is_plain) && address.find("..") == std::string::npos &&
                 std::count(address.begin(), address.end(), '@') < 2 && (address.empty() || address[0] != '.');
    plain = plain && address.find(".@") == std::string::npos;
    command += '<';
    command += plain || !form.quote ? address : mail::to_external(address);
    command += '>';
}

struct NotifyWord {
    uint32_t bit;
    const char* word;
};
constexpr NotifyWord notify_words[] = {{spool::notify_never, "NEVER"},
                                       {spool::notify_success, "SUCCESS"},
                                       {spool::notify_failure, "FAILURE"},
                                       {spool::notify_delay, "DELAY"}};

void append_notify(std::string& command, uint32_t notify)
{
    const char* between = " NOTIFY=";
    for (const auto& each : notify_words) {
        if (!(notify & each.bit)) continue;
        command += between;
        command += each.word;
        between = ",";
    }
}

void append_attribute(std::string& command, const smtp::Capabilities& can, const char* name, const std::string& value)
{
    bool wanted = std::find(can.xforward.begin(), can.xforward.end(), name) != can.xforward.end();
    if (wanted) command += fmt::format(" {}={}", name, value.empty() ? "[UNAVAILABLE]" : base::to_xtext(value));
}

} // namespace

std::string mail_command(const spool::Deliver& job, const smtp::Capabilities& can, const EnvelopeForm& form)
{
    std::string command = "MAIL FROM:";
    append_address(command, job.sender, form);
    if (can.size_known && !job.probe) command += fmt::format(" SIZE={}", job.content_length);
    if (can.eightbitmime) command += job.content_flags & spool::content_8bit ? " BODY=8BITMIME" : "";
    if (can.dsn) {
        if (!job.envid.empty()) command += " ENVID=" + base::to_xtext(job.envid);
        if (!job.ret.empty() && base::is_ascii(job.ret)) command += " RET=" + base::upper(job.ret);
    }
    if (form.utf8) command += " SMTPUTF8";
    if (form.dummy_auth) command += " AUTH=<>";
    command += "\r\n";
    return command;
}

std::string rcpt_command(const spool::Recipient& recipient, const smtp::Capabilities& can, const EnvelopeForm& form)
{
    std::string command = "RCPT TO:";
    append_address(command, recipient.address, form);
    if (can.dsn) {
        auto original = base::cut(recipient.dsn_original, ';');
        if (original.found) {
            command += fmt::format(" ORCPT={};{}", original.before, base::to_xtext(original.after));
        } else {
            // RFC 3461 5.2.1: who was written to is told on, though nobody before us has said it.
            const auto& written_to = recipient.original.empty() ? recipient.address : recipient.original;
            if (base::is_ascii(written_to))
                command += " ORCPT=rfc822;" + base::to_xtext(mail::to_external(written_to));
        }
        append_notify(command, recipient.notify);
    }
    command += "\r\n";
    return command;
}

std::string xforward_command(const spool::Deliver& job, const smtp::Capabilities& can)
{
    if (can.xforward.empty() || job.client_address.empty()) return {};
    std::string command = "XFORWARD";
    append_attribute(command, can, "NAME", job.client_name == "unknown" ? "" : job.client_name);
    append_attribute(command, can, "ADDR",
                     job.client_address.find(':') != std::string::npos ? "IPv6:" + job.client_address
                                                                       : job.client_address);
    append_attribute(command, can, "PORT", job.client_port);
    append_attribute(command, can, "PROTO", job.protocol);
    append_attribute(command, can, "HELO", job.helo);
    append_attribute(command, can, "IDENT", job.queue_id);
    if (command.size() == std::string_view("XFORWARD").size()) return {};
    return command + "\r\n";
}

bool has_addresses_beyond_ascii(const spool::Deliver& job)
{
    auto beyond = [](const spool::Recipient& each) { return !base::is_ascii(each.address); };
    return !base::is_ascii(job.sender) || std::any_of(job.recipients.begin(), job.recipients.end(), beyond);
}

bool is_sendable(std::string_view address)
{
    auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; };
    return address.size() <= longest_address && std::none_of(address.begin(), address.end(), is_control);
}

} // namespace smtp_client
