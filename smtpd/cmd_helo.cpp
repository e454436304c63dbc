// cmd_helo: EHLO and HELO, RFC 5321 4.1.1.1: who are you, and what do we speak.
#include "commands.h"
#include "restrictions/stages.h"

#include "base/log.h"
#include "base/text.h"

namespace smtpd {
namespace {

bool may_offer_auth(Session& s)
{
    return s.service.auth && s.sasl_user.empty() && (s.tls || !s.config.smtpd_tls_auth_only) && s.offers("auth") &&
           !s.service.sasl_rules->is_exempt(s.client.name, s.client.address);
}

async::Task<std::string> capabilities(Session& s)
{
    std::string lines = s.config.myhostname;
    auto offer = [&](const std::string& keyword, const std::string& line) {
        if (s.offers(keyword)) lines += "\n" + line;
    };
    offer("pipelining", "PIPELINING");
    offer("size", s.config.message_size_limit > 0 ? fmt::format("SIZE {}", s.config.message_size_limit) : "SIZE");
    if (!s.config.disable_vrfy_command) offer("vrfy", "VRFY");
    if (!s.service.lmtp) offer("etrn", "ETRN");
    if (s.service.tls && !s.tls) offer("starttls", "STARTTLS");
    if (may_offer_auth(s)) {
        auto mechanisms = co_await sasl_mechanisms(s);
        std::string words = base::join(mechanisms, " ");
        if (!words.empty()) lines += "\nAUTH " + words;
        if (!words.empty() && s.config.broken_sasl_auth_clients) lines += "\nAUTH=" + words;
    }
    if (s.may_xclient) offer("xclient", "XCLIENT NAME ADDR PROTO HELO REVERSE_NAME PORT LOGIN DESTADDR DESTPORT");
    if (s.may_xforward) offer("xforward", "XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT");
    offer("enhancedstatuscodes", "ENHANCEDSTATUSCODES");
    offer("8bitmime", "8BITMIME");
    offer("dsn", "DSN");
    if (s.config.smtputf8_enable) offer("smtputf8", "SMTPUTF8");
    offer("chunking", "CHUNKING");
    // RFC 9422: there is no limit on messages of a session, nor on the recipients of a session.
    offer("limits", fmt::format("LIMITS RCPTMAX={}", s.config.smtpd_recipient_limit));
    co_return lines;
}

// What we do not offer, for whoever wonders why; smtpd_discard_ehlo_keywords = silent-discard asks for silence.
void log_hidden(const Session& s)
{
    if (s.hidden_keywords.empty() || s.hidden_keywords.count("silent-discard")) return;
    std::string words;
    for (const auto& word : s.hidden_keywords) words += " " + base::upper(word);
    base::log::info("discarding EHLO keywords:{}", words);
}

void be_greeted(Session& s, const smtp::Command& command, const char* protocol)
{
    // A host name goes into Received: and the log; what cannot be one becomes harmless there.
    s.client.helo = base::printable(smtp::parse_helo(command.arguments, command.verb), 255);
    s.client.protocol = protocol;
    s.reset();
}

} // namespace

async::Task<smtp::Reply> cmd_ehlo(Session& s, const smtp::Command& command)
{
    be_greeted(s, command, "ESMTP");
    log_hidden(s);
    auto refusal = co_await restrictions::check_helo(s);
    if (refusal) co_return *refusal;
    if (s.milters) refusal = co_await s.milters->helo();
    if (refusal) co_return *refusal;
    std::string lines = co_await capabilities(s);
    co_return smtp::Reply{250, "", lines};
}

async::Task<smtp::Reply> cmd_helo(Session& s, const smtp::Command& command)
{
    be_greeted(s, command, "SMTP");
    auto refusal = co_await restrictions::check_helo(s);
    if (refusal) co_return *refusal;
    if (s.milters) refusal = co_await s.milters->helo();
    if (refusal) co_return *refusal;
    co_return smtp::Reply{250, "", s.config.myhostname};
}

// RFC 2033 4.1: as EHLO.
async::Task<smtp::Reply> cmd_lhlo(Session& s, const smtp::Command& command)
{
    be_greeted(s, command, "LMTP");
    log_hidden(s);
    auto refusal = co_await restrictions::check_helo(s);
    if (refusal) co_return *refusal;
    std::string lines = co_await capabilities(s);
    co_return smtp::Reply{250, "", lines};
}

} // namespace smtpd
