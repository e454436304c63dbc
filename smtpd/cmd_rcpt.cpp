// cmd_rcpt: RCPT, RFC 5321 4.1.1.3: may it go there, and can it?
#include "commands.h"
#include "client_limits.h"
#include "restrictions/stages.h"

#include "base/log.h"
#include "mail/address.h"

namespace smtpd {

namespace {

void add_recipient(Session& s, const smtp::RcptCommand& command, const std::string& address)
{
    spool::Recipient recipient;
    recipient.address = address;
    recipient.original = command.recipient.address;
    if (!command.orcpt.empty()) recipient.dsn_original = command.orcpt_type + ";" + command.orcpt;
    recipient.notify = command.notify;
    s.mail->recipients.push_back(std::move(recipient));
}

} // namespace

async::Task<smtp::Reply> cmd_rcpt(Session& s, const smtp::Command& command)
{
    if (!s.mail) co_return smtp::Reply{503, "5.5.1", "Error: need MAIL command"};
    if (auto refusal = refuse_recipient(s)) co_return *refusal;
    smtp::RcptCommand rcpt = smtp::parse_rcpt(command.arguments, grammar_of(s));
    if (auto refusal = refuse_undeclared_utf8(s, rcpt.recipient, s.mail->mail.smtputf8)) co_return *refusal;
    // RFC 5321 4.5.3.1.10: 452, so that the client comes again with the rest.
    if (++s.mail->named > s.config.smtpd_recipient_limit) {
        // That is how a long list is sent; only who goes far beyond does it in vain.
        s.forgiven = s.mail->named <= s.config.smtpd_recipient_limit + s.config.smtpd_recipient_overshoot_limit;
        co_return smtp::Reply{452, "4.5.3", "Error: too many recipients"};
    }
    std::string address = s.service.router.rewrite(rcpt.recipient.address);
    auto refusal = co_await restrictions::check_recipient(s, "RCPT", s.mail->mail.sender.address, rcpt.recipient.address);
    if (refusal && s.milters) co_await s.milters->rejected_rcpt(command.arguments, *refusal);
    if (refusal) co_return *refusal;
    if (s.milters) refusal = co_await s.milters->rcpt(command.arguments, address);
    if (refusal) co_return *refusal;
    refusal = co_await open_destination(s, address);
    if (!refusal && s.mail->proxy) refusal = co_await s.mail->proxy->recipient("RCPT " + command.arguments);
    if (refusal) co_return *refusal;
    add_recipient(s, rcpt, address);
    s.stage = rcpt_given;
    ++s.mail->taken;
    co_return smtp::Reply{250, "2.1.5", "Ok"};
}

} // namespace smtpd
