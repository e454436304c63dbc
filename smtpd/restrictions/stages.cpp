#include "restrictions/stages.h"

#include "restrictions/walk.h"
#include "restrictions/words.h"
#include "session.h"

#include "base/log.h"

namespace smtpd::restrictions {
namespace {

bool is_asked(const Session& session) { return !session.service.letterbox; }

std::string address_name(const Session& session) { return session.client.name + "[" + session.client.address + "]"; }

// Refuses what only a passing fault kept from being refused.
Result settle_postponed(Inquiry& inquiry)
{
    if (!inquiry.defer_if_permit.active) return Result::dunno;
    const smtp::Reply& reply = inquiry.defer_if_permit.reply;
    return inquiry.refuse(reply.code, reply.enhanced, reply.text);
}

async::Task<Result> ask(Inquiry& inquiry, std::shared_ptr<const List> list, Subject subject)
{
    if (list->steps.empty()) co_return Result::dunno;
    Walk walk(inquiry, std::move(list), std::move(subject));
    std::string trouble;
    Result result = Result::dunno;
    try {
        bool at_end = walk.run();
        if (!at_end) co_await walk.run_waiting();
        result = walk.result();
    } catch (const maps::Unavailable& failure) {
        trouble = failure.what();
    }
    if (trouble.empty()) co_return result;
    base::log::warning("{}", trouble);
    co_return inquiry.lookup_failed(walk.subject().name);
}

async::Task<Result> ask_client(Inquiry& inquiry)
{
    inquiry.defer_if_permit = {};
    Result result = co_await ask(inquiry, inquiry.rules.client, {address_name(inquiry.session), kind::client});
    inquiry.session.checks.after_client = inquiry.defer_if_permit;
    co_return result;
}

async::Task<Result> ask_helo(Inquiry& inquiry)
{
    inquiry.defer_if_permit = inquiry.session.checks.after_client;
    Result result = Result::dunno;
    const std::string& helo = inquiry.session.client.helo;
    if (!helo.empty()) result = co_await ask(inquiry, inquiry.rules.helo, {helo, kind::helo});
    inquiry.session.checks.after_helo = inquiry.defer_if_permit;
    co_return result;
}

async::Task<Result> ask_sender(Inquiry& inquiry)
{
    inquiry.defer_if_permit = inquiry.session.client.helo.empty() ? inquiry.session.checks.after_client : inquiry.session.checks.after_helo;
    Result result = Result::dunno;
    if (inquiry.sender) result = co_await ask(inquiry, inquiry.rules.sender, {*inquiry.sender, kind::sender});
    if (result != Result::refuse && inquiry.rules.config.smtpd_reject_unlisted_sender && inquiry.sender && !inquiry.treatment().discard)
        result = reject_unlisted_sender(inquiry, {}) == Result::refuse ? Result::refuse : result;
    inquiry.session.checks.after_sender = inquiry.defer_if_permit;
    co_return result;
}

async::Task<Result> ask_what_was_delayed(Inquiry& inquiry, bool with_sender)
{
    Result result = co_await ask_client(inquiry);
    if (result != Result::refuse) result = co_await ask_helo(inquiry);
    if (result != Result::refuse && with_sender) result = co_await ask_sender(inquiry);
    co_return result;
}

async::Task<Result> ask_recipient(Inquiry& inquiry)
{
    const auto& config = inquiry.rules.config;
    inquiry.defer_if_permit = inquiry.session.checks.after_sender;
    std::shared_ptr<const List> lists[] = {inquiry.rules.relay, inquiry.rules.recipient};
    if (!config.smtpd_relay_before_recipient_restrictions) std::swap(lists[0], lists[1]);
    for (const auto& list : lists) {
        Result result = co_await ask(inquiry, list, {*inquiry.recipient, kind::recipient});
        if (result != Result::refuse) result = settle_postponed(inquiry);
        if (result == Result::refuse) co_return result;
    }
    bool unlisted = config.smtpd_reject_unlisted_recipient && !inquiry.session.service.rules.overridden("no_unknown_recipient_checks");
    if (unlisted && !inquiry.treatment().discard) co_return reject_unlisted_recipient(inquiry, {});
    co_return Result::dunno;
}

Refusal refusal_of(const Inquiry& inquiry, Result result)
{
    if (result != Result::refuse) return std::nullopt;
    return inquiry.refusal;
}

// DATA and the end of data: about all recipients, or about the only one.
async::Task<Refusal> check_content(Session& session, std::string_view where, std::string_view kind, std::shared_ptr<const List> list)
{
    if (!is_asked(session) || list->steps.empty()) co_return std::nullopt;
    Inquiry inquiry(session, where);
    inquiry.sender = session.mail->mail.sender.address;
    if (session.mail->recipients.size() == 1) inquiry.recipient = session.mail->recipients[0].original;
    Result result = co_await ask(inquiry, std::move(list), {std::string(where), kind});
    if (result != Result::refuse) result = settle_postponed(inquiry);
    co_return refusal_of(inquiry, result);
}

} // namespace

async::Task<Refusal> check_client(Session& session)
{
    if (!is_asked(session) || session.config.smtpd_delay_reject) co_return std::nullopt;
    Inquiry inquiry(session, "CONNECT");
    Result result = co_await ask_client(inquiry);
    co_return refusal_of(inquiry, result);
}

async::Task<Refusal> check_helo(Session& session)
{
    if (!is_asked(session) || session.config.smtpd_delay_reject) co_return std::nullopt;
    Inquiry inquiry(session, session.last_command);
    Result result = co_await ask_helo(inquiry);
    co_return refusal_of(inquiry, result);
}

async::Task<Refusal> check_sender(Session& session, std::string sender)
{
    if (!is_asked(session) || session.config.smtpd_delay_reject) co_return std::nullopt;
    Inquiry inquiry(session, "MAIL");
    inquiry.sender = std::move(sender);
    Result result = co_await ask_sender(inquiry);
    co_return refusal_of(inquiry, result);
}

async::Task<Refusal> check_recipient(Session& session, std::string where, std::optional<std::string> sender, std::string recipient)
{
    if (!is_asked(session)) co_return std::nullopt;
    Inquiry inquiry(session, where);
    inquiry.sender = std::move(sender);
    inquiry.recipient = std::move(recipient);
    if (inquiry.rules.open_relay) {
        base::log::fatal("in parameter smtpd_relay_restrictions or smtpd_recipient_restrictions, specify at least one working instance of: "
                         "reject_unauth_destination, defer_unauth_destination, reject, defer, defer_if_permit");
        co_return refusal_of(inquiry, inquiry.server_error());
    }
    Result result = Result::dunno;
    if (session.config.smtpd_delay_reject) result = co_await ask_what_was_delayed(inquiry, true);
    if (result != Result::refuse) result = co_await ask_recipient(inquiry);
    co_return refusal_of(inquiry, result);
}

async::Task<Refusal> check_data(Session& session) { return check_content(session, "DATA", kind::data, session.service.restriction_lists.data); }

async::Task<Refusal> check_end_of_data(Session& session)
{
    return check_content(session, "END-OF-MESSAGE", kind::end_of_data, session.service.restriction_lists.end_of_data);
}

async::Task<Refusal> check_etrn(Session& session, std::string domain)
{
    if (!is_asked(session)) co_return std::nullopt;
    Inquiry inquiry(session, "ETRN");
    inquiry.etrn_domain = domain;
    Result result = Result::dunno;
    if (session.config.smtpd_delay_reject) result = co_await ask_what_was_delayed(inquiry, false);
    inquiry.defer_if_permit = session.checks.after_helo;
    if (result != Result::refuse) result = co_await ask(inquiry, inquiry.rules.etrn, {std::move(domain), kind::etrn});
    if (result != Result::refuse) result = settle_postponed(inquiry);
    co_return refusal_of(inquiry, result);
}

} // namespace smtpd::restrictions
