#include "worker.h"

#include "async/nursery.h"
#include "async/offload.h"
#include "base/log.h"
#include "command.h"
#include "config/config.h"
#include "lists.h"
#include "mailbox.h"
#include "qmail/qmail_local.h"
#include "sandbox/sandbox.h"

#include <unistd.h>

#include <csignal>
#include <set>

namespace local_delivery {
namespace {

constexpr size_t members_at_once = 64 << 10;    // bytes of them in one packet

void close_all_but(const std::set<int>& kept)
{
    int first = STDERR_FILENO + 1;
    for (int fd : kept) {
        if (fd < first) continue;
        if (fd > first) ::close_range(static_cast<unsigned>(first), static_cast<unsigned>(fd) - 1, 0);
        first = fd + 1;
    }
    ::close_range(static_cast<unsigned>(first), ~0U, 0);
}

void become_who_we_are(const WorkerSettings& settings)
{
    sandbox::User user;
    user.name = std::to_string(settings.identity.uid);
    user.uid = settings.identity.uid;
    user.gid = settings.identity.gid;
    const std::string& root = settings.identity.chroot;
    if (!root.empty() && (::chroot(root.c_str()) != 0 || ::chdir("/") != 0)) throw base::SystemError("chroot " + root);
    sandbox::become(user, settings.groups);
}

void give_up_rights(const WorkerSettings& settings)
{
    if (settings.change_user) become_who_we_are(settings);
    if (!settings.sandboxed) return;
    sandbox::Rights rights;
    rights.fork_and_exec = settings.identity.commands;
    rights.write = {"/"};       // mailboxes may lie anywhere; the uid is the wall
    for (const auto& missing : sandbox::lock(rights)) base::log::debug("sandbox: {}", missing);
}

struct Desk {
    ipc::Channel channel;
    const config::Config& config;
    store::LockPolicy locks;
};

Answer carry_out(const Order& order, const store::LockPolicy& locks)
{
    if (!order.home.empty() && ::access(order.home.c_str(), F_OK) != 0) {
        Answer answer;
        answer.report = deferred("4.3.0", fmt::format("cannot access home directory {}: {}", order.home, base::error_text(errno)));
        answer.report.found = order.kind == Order::read_forward;
        return answer;
    }
    if (order.kind == Order::read_include) return read_include(order);
    Answer answer;
    if (order.kind == Order::visit || order.kind == Order::read_forward) {
        answer = read_forward(order);
        if (answer.report.found || order.kind == Order::read_forward) return answer;
    }
    auto warnings = std::move(answer.report.warnings);
    answer.report = deliver_to_mailbox(order, locks);
    answer.report.warnings = std::move(warnings);
    return answer;
}

void send(Desk& desk, uint64_t number, Answer answer)
{
    Members part;
    size_t size = 0;
    auto send_part = [&] {
        part.number = number;
        desk.channel.post(std::move(part));
        part = Members();
        size = 0;
    };
    for (Member& member : answer.members) {
        if (size > 0 && size + member.text.size() > members_at_once) send_part();
        size += member.text.size() + 16;
        part.members.push_back(std::move(member));
    }
    if (!part.members.empty()) send_part();
    answer.report.number = number;
    desk.channel.post(std::move(answer.report));
}

async::Task<> serve_one(Desk& desk, Order given)
{
    Answer answer;
    uint64_t number = given.number;
    try {
        if (given.kind == Order::command) {
            answer.report = co_await run_command(given, desk.config);
        } else if (given.kind == Order::dot_qmail) {
            answer = co_await deliver_as_qmail(given, desk.config, desk.locks);
        } else {
            auto work = [order = std::move(given), locks = desk.locks] { return carry_out(order, locks); };
            answer = co_await async::offload(std::move(work));
        }
    } catch (const std::exception& failure) {
        answer.report = deferred("4.3.0", failure.what());
    }
    send(desk, number, std::move(answer));
}

async::Task<> serve_all(Desk& desk, async::Nursery& orders)
{
    try {
        while (auto packet = co_await desk.channel.receive()) orders.start(serve_one(desk, ipc::unpack<Order>(*packet)));
    } catch (const std::exception& failure) {
        base::log::error("from the supervisor: {}", failure.what());
    }
    co_await async::wait(orders.empty());
    async::loop().stop();
}

void serve_until_done(base::Fd fd, const WorkerSettings& settings, const config::Config& config)
{
    async::loop().after_round([] { base::log::flush(); });
    for (int number : {SIGTERM, SIGINT}) async::loop().on_signal(number, [] { async::loop().stop(); });
    std::signal(SIGHUP, SIG_IGN);       // the supervisor's business
    std::signal(SIGPIPE, SIG_IGN);
    Desk desk{ipc::Channel(std::move(fd)), config, lock_policy(config, settings.for_virtual)};
    async::Nursery orders("delivery");
    async::Nursery reader("worker");
    reader.start(serve_all(desk, orders));
    async::loop().run();
    reader.cancel();
    orders.cancel();
}

} // namespace

void run_worker(base::Fd channel, const WorkerSettings& settings, const config::Config& config)
{
    int status = 0;
    try {
        async::new_loop_after_fork();
        close_all_but({channel.get(), base::log::descriptor()});
        give_up_rights(settings);
        serve_until_done(std::move(channel), settings, config);
    } catch (const std::exception& failure) {
        base::log::fatal("{}", failure.what());
        status = 1;
    }
    base::log::flush();
    ::_exit(status);
}

} // namespace local_delivery
