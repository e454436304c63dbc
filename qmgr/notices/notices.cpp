#include "notices/notices.h"

#include "manager.h"
#include "notices/report.h"

#include "async/offload.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "cleanup/intake.h"
#include "mail/header.h"

namespace qmgr {
namespace {

// RFC 3461 4.1: what holds where the sender said nothing is failure and delay.
bool wants(const spool::Recipient& recipient, uint32_t notify, bool unless_told)
{
    return recipient.notify == 0 ? unless_told : (recipient.notify & notify) != 0;
}

bool is_told_of(const RecipientState& state, NoticeKind kind)
{
    switch (kind) {
    case NoticeKind::failure: return state.state == RecipientState::bounced && wants(state.recipient, spool::notify_failure, true);
    case NoticeKind::delay: return state.state == RecipientState::deferred && wants(state.recipient, spool::notify_delay, true);
    default: return state.news && !state.action.empty() && wants(state.recipient, spool::notify_success, false);
    }
}

std::vector<uint32_t> told_of(const Message& message, NoticeKind kind)
{
    std::vector<uint32_t> numbers;
    for (uint32_t number = 0; number < message.recipients.size(); ++number)
        if (is_told_of(message.recipients[number], kind)) numbers.push_back(number);
    return numbers;
}

bool delay_is_due(const config::Config& config, const Message& message)
{
    auto after = std::chrono::duration_cast<std::chrono::seconds>(config.delay_warning_time).count();
    return after > 0 && !message.delay_told && now_seconds() - message.arrival_seconds() >= after;
}

bool has_class(const config::Config& config, std::string_view word)
{
    return std::any_of(config.notify_classes.begin(), config.notify_classes.end(), [&](const auto& one) { return base::same_word(one, word); });
}

std::string qualified(const config::Config& config, const std::string& address)
{
    return address.find('@') == std::string::npos ? address + "@" + config.myorigin : address;
}

std::string double_bounce(const config::Config& config) { return qualified(config, config.double_bounce_sender); }

// What of the original goes with it.
struct Returned {
    std::string content;
    bool whole = true;
};

async::Task<Returned> read_original(Manager& manager, const Message& message, bool whole)
{
    base::Fd file = manager.folders().open_to_read(message.place, message.id);
    auto limit = static_cast<size_t>(manager.config().bounce_size_limit);
    auto read = [fd = std::move(file), head = message.head, limit, id = message.id] { return spool::read_content(fd.get(), head, id, limit); };
    Returned returned;
    returned.content = co_await async::offload(std::move(read));
    returned.whole = whole && message.head.content_length <= limit;
    if (!returned.whole) returned.content.resize(mail::header_end(returned.content).fields_end);
    co_return returned;
}

// One message, on disk and accepted. Returns its id.
async::Task<std::string> post(Manager& manager, const Message& message, Notice notice, Returned returned)
{
    const config::Config& config = manager.config();
    Manager::NewFile file = manager.create();
    notice.id = file.id;
    notice.whole_message = returned.whole;
    if (config.enable_threaded_bounces) notice.in_reply_to = mail::field_value(returned.content, "Message-ID").value_or("");
    cleanup::Origin origin;
    origin.source = notice.postmaster_copy ? cleanup::Source::notify : cleanup::Source::bounce;
    origin.arrival = now_microseconds();
    origin.sender = notice.postmaster_copy ? double_bounce(config) : "";
    origin.ours = true;
    origin.received = fmt::format("Received: by {} ({})\r\n\tid {}; {}\r\n", config.myhostname, config.mail_name, file.id,
                                  base::mail_date(base::wall_now()));
    std::string text = write_notice(config, manager.notice_templates(), message, notice, returned.content);
    cleanup::Intake intake(manager.intake_rules(), std::move(origin), file.id);
    spool::Recipient recipient;
    recipient.address = recipient.original = notice.to;
    intake.add_recipient(std::move(recipient));
    intake.add(text);
    cleanup::ContentSeen seen;
    seen.has_8bit = !base::is_ascii(text);
    seen.has_leading_dot = text.find("\r\n.") != std::string::npos;
    intake.finish(seen);
    auto keep = [fd = file.fd.duplicate(), writes = intake.seal(), id = file.id] { spool::write_blocks(fd.get(), writes, true, id); };
    // A notice that the checks refuse is lost with what it tells of; a table that fails is asked again.
    auto refusal = intake.refusal();
    if (intake.treatment().discard || (refusal && refusal->code >= 500)) {
        manager.folders().remove({spool::Queue::incoming}, file.id);
        co_return file.id;
    }
    std::exception_ptr trouble;
    if (refusal) trouble = std::make_exception_ptr(maps::Unavailable(refusal->text));
    try {
        if (!trouble) co_await async::offload(std::move(keep));
    } catch (const base::SystemError&) {
        trouble = std::current_exception();
    }
    if (trouble) {
        manager.folders().remove({spool::Queue::incoming}, file.id);
        std::rethrow_exception(trouble);
    }
    std::string id = file.id;
    manager.accept(id, std::move(file.fd));
    co_return id;
}

struct Words {
    NoticeKind kind;
    const char* what;                       // in the log
    std::string_view postmaster_class;      // of notify_classes
    std::string config::Config::*postmaster;
};

const Words& words_for(NoticeKind kind)
{
    static const Words words[] = {
        {NoticeKind::failure, "non-delivery notification", "bounce", &config::Config::bounce_notice_recipient},
        {NoticeKind::delay, "delay notification", "delay", &config::Config::delay_notice_recipient},
        {NoticeKind::success, "delivery status notification", "", nullptr},
    };
    return words[static_cast<int>(kind)];
}

// A message that has no sender is a notice itself. RFC 5321 6.1: it is never answered; the postmaster may want to know.
async::Task<> tell_postmaster_of_notice(Manager& manager, const Message& message, std::vector<uint32_t> recipients)
{
    const config::Config& config = manager.config();
    if (!message.envelope.sender.empty() || !has_class(config, "2bounce")) {
        base::log::info("{}: undeliverable {}notification discarded", message.id, message.envelope.sender.empty() ? "" : "postmaster ");
        co_return;
    }
    Notice notice;
    notice.recipients = std::move(recipients);
    notice.to = qualified(config, config.find("2bounce_notice_recipient").value_or("postmaster"));
    notice.postmaster_copy = true;
    Returned returned = co_await read_original(manager, message, true);
    std::string id = co_await post(manager, message, std::move(notice), std::move(returned));
    base::log::info_as("bounce", fmt::format("{}: postmaster non-delivery notification: {}", message.id, id));
}

async::Task<> tell(Manager& manager, Message& message, NoticeKind kind)
{
    const config::Config& config = manager.config();
    std::vector<uint32_t> recipients = told_of(message, kind);
    if (recipients.empty()) co_return;
    const std::string& sender = message.envelope.sender;
    if (sender.empty() || sender == double_bounce(config)) {
        if (kind == NoticeKind::failure) co_await tell_postmaster_of_notice(manager, message, std::move(recipients));
        co_return;
    }
    const Words& words = words_for(kind);
    Notice notice;
    notice.kind = kind;
    notice.recipients = std::move(recipients);
    notice.to = sender;
    bool whole = kind == NoticeKind::failure && message.envelope.attribute("ret") != "HDRS";
    Returned returned = co_await read_original(manager, message, whole);
    Notice copy = notice;
    std::string id = co_await post(manager, message, std::move(notice), std::move(returned));
    base::log::info_as("bounce", fmt::format("{}: sender {}: {}", message.id, words.what, id));
    if (!words.postmaster || !has_class(config, words.postmaster_class)) co_return;
    copy.to = qualified(config, config.*words.postmaster);
    copy.postmaster_copy = true;
    Returned headers = co_await read_original(manager, message, false);
    id = co_await post(manager, message, std::move(copy), std::move(headers));
    base::log::info_as("bounce", fmt::format("{}: postmaster {}: {}", message.id, words.what, id));
}

async::Task<> tell_or_log(Manager& manager, Message& message, NoticeKind kind)
{
    try {
        co_await tell(manager, message, kind);
    } catch (const std::exception& failure) {
        base::log::warning("{}: {} could not be written: {}", message.id, words_for(kind).what, failure.what());
    }
}

} // namespace

bool notice_is_due(const config::Config& config, const Message& message)
{
    bool delays = delay_is_due(config, message);
    return std::any_of(message.recipients.begin(), message.recipients.end(), [&](const RecipientState& state) {
        return state.state == RecipientState::bounced || is_told_of(state, NoticeKind::success) || (delays && is_told_of(state, NoticeKind::delay));
    });
}

async::Task<> send_notices(Manager& manager, Message& message)
{
    co_await tell(manager, message, NoticeKind::failure);
    if (delay_is_due(manager.config(), message)) {
        co_await tell_or_log(manager, message, NoticeKind::delay);
        message.delay_told = true;
    }
    co_await tell_or_log(manager, message, NoticeKind::success);
    for (auto& state : message.recipients) state.news = false;
}

} // namespace qmgr
