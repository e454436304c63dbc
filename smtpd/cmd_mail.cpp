// cmd_mail: MAIL, RFC 5321 4.1.1.2: a message begins.
#include "commands.h"
#include "client_limits.h"
#include "restrictions/stages.h"

#include "base/clock.h"
#include "base/log.h"

#include <sys/statvfs.h>

namespace smtpd {

smtp::Grammar grammar_of(const Session& s)
{
    smtp::Grammar grammar;
    grammar.strict = s.config.strict_rfc821_envelopes;
    grammar.utf8 = s.config.smtputf8_enable;
    grammar.smtputf8 = s.config.smtputf8_enable && s.offers("smtputf8");
    grammar.dsn = s.offers("dsn");
    grammar.auth = s.service.auth != nullptr;
    return grammar;
}

std::optional<smtp::Reply> refuse_undeclared_utf8(const Session& s, const smtp::Path& path, bool declared)
{
    // RFC 6531 3.4: addresses beyond ASCII only where SMTPUTF8 was asked for.
    if (declared || !s.config.strict_smtputf8 || !path.beyond_ascii()) return std::nullopt;
    return smtp::Reply{553, "5.6.7", "Must declare SMTPUTF8 to send unicode address"};
}

namespace {

// Bytes that are free where the queue lies; looked up once a second, as the queue manager does. Nothing when that cannot be known.
std::optional<uint64_t> free_space(const std::string& folder)
{
    static std::string known_folder;
    static base::Steady looked;
    static std::optional<uint64_t> free;
    auto now = base::steady_now();
    if (folder == known_folder && now - looked < std::chrono::seconds(1)) return free;
    known_folder = folder;
    looked = now;
    struct statvfs disk {};
    free.reset();
    if (::statvfs(folder.c_str(), &disk) == 0) free = disk.f_bavail * disk.f_frsize;
    return free;
}

// There must be room for the largest message, and for what queue_minfree keeps free.
std::optional<smtp::Reply> refuse_without_space(const Session& s, uint64_t size)
{
    auto free = free_space(s.config.queue_directory);
    if (!free) return std::nullopt;
    auto limit = static_cast<uint64_t>(std::max<int64_t>(s.config.message_size_limit, 0));
    uint64_t needed = std::max({limit + limit / 2, static_cast<uint64_t>(s.config.queue_minfree) + size});
    if (*free > needed) return std::nullopt;
    base::log::warning("not enough free space in mail queue: {} bytes < {} bytes", *free, needed);
    smtp::Reply reply{452, "4.3.1", "Insufficient system storage"};
    log_reject(s, "MAIL", reply);
    return reply;
}

} // namespace

async::Task<smtp::Reply> cmd_mail(Session& s, const smtp::Command& command)
{
    if (s.mail) co_return smtp::Reply{503, "5.5.1", "Error: nested MAIL command"};
    if (auto refusal = refuse_mail(s)) co_return *refusal;
    smtp::MailCommand mail = smtp::parse_mail(command.arguments, grammar_of(s));
    if (mail.body == smtp::Body::binary) co_return smtp::Reply{555, "5.5.4", "Unsupported option: BODY=BINARYMIME"};
    if (auto refusal = refuse_undeclared_utf8(s, mail.sender, mail.smtputf8)) co_return *refusal;
    int64_t limit = s.config.message_size_limit;
    if (mail.size && limit > 0 && *mail.size > static_cast<uint64_t>(limit)) {
        smtp::Reply reply{552, "5.3.4", "Message size exceeds fixed limit"};
        log_reject(s, "MAIL", reply);
        co_return reply;
    }
    if (auto no_room = refuse_without_space(s, mail.size.value_or(0))) co_return *no_room;
    Transaction transaction;
    transaction.command = "MAIL " + command.arguments;
    if (!mail.sender.null()) transaction.sender = s.service.router.rewrite(mail.sender.address);
    transaction.mail = std::move(mail);
    transaction.treatment = std::exchange(s.checks.before_mail, {});
    if (transaction.treatment.filter.empty()) transaction.treatment.filter = s.config.content_filter;
    s.mail.emplace(std::move(transaction));
    ++s.transactions;
    s.stage = mail_given;
    auto refusal = co_await restrictions::check_sender(s, s.mail->mail.sender.address);
    if (!refusal && s.milters) refusal = co_await s.milters->mail(command.arguments);
    if (!refusal && !s.config.smtpd_delay_open_until_valid_rcpt) refusal = co_await open_destination(s);
    if (refusal) {
        s.reset();
        co_return *refusal;
    }
    co_return smtp::Reply{250, "2.1.0", "Ok"};
}

} // namespace smtpd
