#include "restrictions/inquiry.h"

#include "restrictions/walk.h"
#include "session.h"

#include "base/log.h"
#include "base/text.h"
#include "mail/address.h"

namespace smtpd::restrictions {
namespace {

constexpr size_t longest_text = 500;    // RFC 5321 4.5.3.1.5: a reply line has at most 512 bytes

smtp::Reply make_reply(const Session& session, int code, std::string_view dsn, std::string_view text)
{
    if (code < 400 || code > 599) {
        base::log::warning("SMTP reply code configuration error: {}", code);
        code = 450;
    }
    if (session.config.soft_bounce && code >= 500) code -= 100;
    return {code, smtp::fit_enhanced(dsn, code), base::printable(text, longest_text)};
}

} // namespace

std::string rejected(const Subject& subject, std::string_view text) { return fmt::format("<{}>: {} rejected: {}", subject.name, subject.kind, text); }

Inquiry::Inquiry(Session& session_, std::string_view where_) : session(session_), service(session_.service), rules(session_.service.restriction_lists), where(where_) {}

Result Inquiry::refuse(int code, std::string_view dsn, std::string text)
{
    // An earlier fault may have kept us from permitting: then the client shall come again.
    Postponed* earlier = walk ? &walk->defer_if_reject : nullptr;
    bool only_warn = walk && walk->warns();
    smtp::Reply reply = make_reply(session, code, dsn, text);
    log(only_warn ? "reject_warning" : "reject", reply.line());
    if (only_warn) return Result::dunno;
    if (earlier && earlier->active) {
        reply = earlier->reply;
        earlier->active = false;
        log("reject", reply.line());
    }
    refusal = reply;
    return Result::refuse;
}

Result Inquiry::refuse(int code, std::string_view dsn, const Subject& subject, std::string_view text)
{
    return refuse(code, dsn, rejected(subject, text));
}

Result Inquiry::server_error()
{
    if (walk) walk->abandon();
    return refuse(451, "4.3.5", "Server configuration error");
}

Result Inquiry::lookup_failed(const std::string& name)
{
    if (walk) walk->abandon();
    return refuse(451, "4.3.0", fmt::format("<{}>: Temporary lookup failure", name));
}

Result Inquiry::postpone_refusal(std::string_view action, int code, std::string_view dsn, std::string text)
{
    bool at_once = !base::same_word(action, "defer_if_permit");
    if (at_once || (walk && walk->warns())) return refuse(code, dsn, std::move(text));
    if (!defer_if_permit.active) defer_if_permit = {true, make_reply(session, code, dsn, text)};
    return Result::dunno;
}

Result Inquiry::postpone_permission(int code, std::string_view dsn, std::string text)
{
    if (walk && !walk->defer_if_reject.active) walk->defer_if_reject = {true, make_reply(session, code, dsn, text)};
    return Result::dunno;
}

void Inquiry::log_permit(std::string_view action, const Subject& subject, std::string_view from) const
{
    // A permission that a passing fault overrules is none.
    if (rules.logged_permits.empty() || defer_if_permit.active || !rules.logged_permits.matches(action)) return;
    std::string text = fmt::format("action={} for {}={}", action, subject.kind, subject.name);
    if (!from.empty()) text += fmt::format(" from {}", from);
    log("permit", text);
}

void Inquiry::log(std::string_view event, const std::string& text) const
{
    std::string line = fmt::format("{}: {}: {} from {}: {};", session.queue_id(), event, where, session.client.text(), base::printable(text));
    if (sender) line += fmt::format(" from=<{}>", base::printable(mail::to_external(*sender)));
    if (recipient) line += fmt::format(" to=<{}>", base::printable(mail::to_external(*recipient)));
    line += fmt::format(" proto={}", session.client.protocol);
    if (!session.client.helo.empty()) line += fmt::format(" helo=<{}>", session.client.helo);
    base::log::info("{}", line);
}

spool::Treatment& Inquiry::treatment()
{
    if (!session.mail) return session.checks.before_mail;
    return session.mail->intake ? session.mail->intake->treatment() : session.mail->treatment;
}

const routing::Route& Inquiry::route_of_sender()
{
    if (!sender_route_) sender_route_ = service.router.route(service.router.rewrite(*sender), *sender);
    return *sender_route_;
}

const routing::Route& Inquiry::route_of_recipient()
{
    if (!recipient_route_) recipient_route_ = service.router.route(service.router.rewrite(*recipient), sender.value_or(""));
    return *recipient_route_;
}

} // namespace smtpd::restrictions
