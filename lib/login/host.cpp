#include "login/host.h"

#include "base/log.h"
#include "login/hand_over.h"
#include "sasl/auth_master.h"

namespace login {
namespace {

constexpr async::Limit first_word_limit{30'000};
constexpr async::Limit redeem_limit{60'000};
constexpr size_t longest_pending = 100 << 10;
constexpr char auth_master_socket[] = "private/auth-master";

Workers::Limits limits_from(const daemons::Daemon& daemon)
{
    Workers::Limits limits;
    limits.sessions_per_user_and_address = static_cast<size_t>(daemon.config().mail_max_userip_connections);
    limits.change_user = daemon.privileged();
    limits.sandboxed = daemon.config().sandbox;
    return limits;
}

async::Task<HandedOver> decide(HandOver message, Workers& workers, const Redeem& redeem)
{
    HandedOver answer;
    try {
        auto account = co_await redeem(message);
        if (account) {
            answer = workers.give(std::move(message), *account);
        } else {
            base::log::warning("{}: {} at {} came with a ticket that auth does not know", message.session_id, message.user, message.remote);
            answer.verdict = HandedOver::not_authenticated;
        }
    } catch (const std::exception& failure) {
        base::log::error("session of {}: {}", message.user, failure.what());
        answer.verdict = HandedOver::unavailable;
    }
    co_return answer;
}

// Asks our auth: the ticket is good once, and says who the user is in terms of the system.
async::Task<std::optional<Account>> ask_auth(const HandOver& message, std::string mail_location)
{
    auto ticket = sasl::Ticket::parse(message.ticket);
    if (!ticket) co_return std::nullopt;
    auto record = co_await sasl::redeem(auth_master_socket, *ticket, redeem_limit);
    if (!record) co_return std::nullopt;
    if (!record->uid || !record->gid) throw std::runtime_error(fmt::format("auth knows no uid and gid of {}", record->name));
    Account account;
    account.user = record->name;
    account.uid = *record->uid;
    account.gid = *record->gid;
    account.home = record->home;
    account.mail_location = record->mail.empty() ? mail_location : record->mail;
    co_return account;
}

// Without mail_location people read where local delivery puts their mail; without a word on that either, the store looks around.
std::string default_location(const config::Config& config)
{
    if (!config.mail_location.empty()) return config.mail_location;
    if (const std::string& mailbox = config.home_mailbox; !mailbox.empty())
        return mailbox.back() == '/' ? "maildir:~/" + mailbox.substr(0, mailbox.size() - 1) : "mbox:~/mail:INBOX=~/" + mailbox;
    const std::string& spool = config.mail_spool_directory;
    return !spool.empty() && spool.back() == '/' ? "maildir:" + spool + "%u" : "";
}

} // namespace

Host::Host(daemons::Daemon& daemon, std::string protocol, SessionFunction session)
    : daemon_(daemon), workers_(std::move(protocol), limits_from(daemon), std::move(session))
{
    redeem_ = [this](const HandOver& message) { return ask_auth(message, default_location(daemon_.config())); };
}

int Host::serve()
{
    sandbox::Rights rights;
    rights.change_user = true;          // to fork, and in the child to become the user
    rights.write = {"/"};
    daemon_.drop_privileges("", rights);
    daemon_.on_drain = [this] { workers_.drain(); };
    daemon_.on_stop = [this] { workers_.stop(); };
    daemon_.busy = [this] { return workers_.running() > 0; };
    return daemon_.serve_channels([this](ipc::Channel channel) { return take(std::move(channel), workers_, redeem_); });
}

async::Task<> Host::take(ipc::Channel channel, Workers& workers, const Redeem& redeem)
{
    bool in_time = co_await async::wait(channel.readable(), first_word_limit);
    if (!in_time) co_return;
    auto packet = co_await channel.receive();
    if (!packet) co_return;
    auto message = ipc::unpack<HandOver>(*packet);
    if (!message.connection) throw ipc::Malformed("hand-over without a connection");
    if (message.pending.size() > longest_pending) throw ipc::Malformed("hand-over with too much input");
    auto answer = co_await decide(std::move(message), workers, redeem);
    channel.post(answer);
}

} // namespace login
