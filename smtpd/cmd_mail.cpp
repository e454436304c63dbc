// cmd_mail: MAIL, RFC 5321 4.1.1.2: a message begins.
#include "commands.h"
#include "restrictions/stages.h"

#include "base/log.h"

namespace smtpd {

smtp::Grammar grammar_of(const Session& s)
{
    smtp::Grammar grammar;
    grammar.strict = s.config.strict_rfc821_envelopes;
    grammar.utf8 = s.config.smtputf8_enable;
    grammar.smtputf8 = s.config.smtputf8_enable;
    // NOTIFY, RET and ENVID are the letterbox's; from the network they come when DSN is offered.
    grammar.dsn = s.service.letterbox;
    grammar.auth = s.service.auth != nullptr;
    return grammar;
}

async::Task<smtp::Reply> cmd_mail(Session& s, const smtp::Command& command)
{
    if (s.mail) co_return smtp::Reply{503, "5.5.1", "Error: nested MAIL command"};
    if (s.client.helo.empty() && s.config.smtpd_helo_required) co_return smtp::Reply{503, "5.5.1", "Error: send HELO/EHLO first"};
    smtp::MailCommand mail = smtp::parse_mail(command.arguments, grammar_of(s));
    if (mail.body == smtp::Body::binary) co_return smtp::Reply{555, "5.5.4", "Unsupported option: BODY=BINARYMIME"};
    // RFC 6531 3.4: addresses beyond ASCII only where SMTPUTF8 was asked for.
    if (mail.sender.beyond_ascii() && !mail.smtputf8) co_return smtp::Reply{553, "5.6.7", "Must declare SMTPUTF8 to send unicode address"};
    int64_t limit = s.config.message_size_limit;
    if (mail.size && limit > 0 && *mail.size > static_cast<uint64_t>(limit)) {
        smtp::Reply reply{552, "5.3.4", "Message size exceeds fixed limit"};
        log_reject(s, "MAIL", reply);
        co_return reply;
    }
    Transaction transaction;
    if (!mail.sender.null())
        transaction.sender = s.service.address_maps.canonical(s.service.router.rewrite(mail.sender.address), routing::Place::envelope_sender);
    transaction.mail = std::move(mail);
    transaction.treatment = std::exchange(s.checks.before_mail, {});
    if (transaction.treatment.filter.empty()) transaction.treatment.filter = s.config.content_filter;
    s.mail.emplace(std::move(transaction));
    s.stage = mail_given;
    auto refusal = co_await restrictions::check_sender(s, s.mail->mail.sender.address);
    if (refusal) {
        s.reset();
        co_return *refusal;
    }
    co_return smtp::Reply{250, "2.1.0", "Ok"};
}

} // namespace smtpd
