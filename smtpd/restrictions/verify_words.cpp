// verify_words: reject_unverified_sender and reject_unverified_recipient: the queue manager is asked whether mail for an address could be
// delivered (ADDRESS_VERIFICATION_README of Postfix).
#include "restrictions/walk.h"
#include "restrictions/words.h"
#include "session.h"

#include "base/log.h"
#include "base/text.h"

namespace smtpd::restrictions {
namespace {

constexpr size_t longest_reason = 250;

// How one of the two answers.
struct Manner {
    std::string_view kind;
    std::string_view dsn;
    int64_t defer_code, reject_code;
    const std::string& action;
    const std::string& reason;      // said in place of the one that was found
};

Result refuse(Inquiry& inquiry, const Manner& manner, const std::string& address, const spool::Verified& verified)
{
    int64_t code = verified.verdict == spool::Verified::undeliverable ? manner.reject_code : manner.defer_code;
    if (code < 400) return Result::dunno;
    Subject subject{address, manner.kind};
    std::string reason = base::printable(manner.reason.empty() ? verified.text : manner.reason, longest_reason);
    bool passing = code < 500;
    std::string text = rejected(subject, fmt::format("{} address: {}", passing ? "unverified" : "undeliverable", reason));
    if (passing) return inquiry.postpone_refusal(manner.action, static_cast<int>(code), manner.dsn, std::move(text));
    return inquiry.refuse(static_cast<int>(code), manner.dsn, std::move(text));
}

async::Task<Result> reject_unverified(Inquiry& inquiry, std::string address, Manner manner)
{
    const config::Config& config = inquiry.rules.config;
    auto wait = config.address_verify_poll_delay * (config.address_verify_poll_count - 1);
    auto verified = co_await inquiry.service.maker.verify(address, wait);
    if (!verified) {
        base::log::warning("{} service failure", config.address_verify_service_name);
        co_return inquiry.postpone_refusal(manner.action, static_cast<int>(manner.defer_code), "4.3.0",
                                           rejected({address, manner.kind}, "address verification problem"));
    }
    if (verified->verdict == spool::Verified::deliverable) co_return Result::dunno;
    co_return refuse(inquiry, manner, address, *verified);
}

} // namespace

async::Task<Result> reject_unverified_sender(Inquiry& inquiry, const Step&)
{
    if (!inquiry.sender || inquiry.sender->empty()) co_return Result::dunno;
    const config::Config& config = inquiry.rules.config;
    Manner manner{kind::sender, "4.1.7", config.unverified_sender_defer_code, config.unverified_sender_reject_code,
                  config.unverified_sender_tempfail_action, config.unverified_sender_reject_reason};
    Result result = co_await reject_unverified(inquiry, *inquiry.sender, manner);
    co_return result;
}

async::Task<Result> reject_unverified_recipient(Inquiry& inquiry, const Step&)
{
    if (!inquiry.recipient || inquiry.recipient->empty()) co_return Result::dunno;
    const config::Config& config = inquiry.rules.config;
    Manner manner{kind::recipient, "4.1.1", config.unverified_recipient_defer_code, config.unverified_recipient_reject_code,
                  config.unverified_recipient_tempfail_action, config.unverified_recipient_reject_reason};
    Result result = co_await reject_unverified(inquiry, *inquiry.recipient, manner);
    co_return result;
}

} // namespace smtpd::restrictions
