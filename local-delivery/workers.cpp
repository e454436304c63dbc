#include "workers.h"

#include "base/clock.h"
#include "base/log.h"
#include "users.h"

#include <unistd.h>

#include <csignal>

namespace local_delivery {

// One worker process as the supervisor sees it; lives in look_after().
struct Workers::Worker {
    Worker(pid_t pid, base::Fd fd, Identity who) : channel(std::move(fd)), child(pid), who(who) {}

    ipc::Channel channel;
    async::Child child;
    Identity who;
    std::map<uint64_t, Waiting*> waiting;
    std::map<uint64_t, std::vector<Member>> members;    // that came before their report
    async::Flag leave;                                  // set: no new orders; it ends when what it has is done
    base::Steady last_used = base::steady_now();
};

Workers::Workers(const config::Config& config, Limits limits) : config_(config), limits_(limits) {}

Workers::~Workers() = default;

void Workers::make_room()
{
    if (workers_.size() < limits_.processes) return;
    Worker* longest = nullptr;
    for (auto& [who, worker] : workers_)
        if (worker->waiting.empty() && (!longest || worker->last_used < longest->last_used)) longest = worker;
    if (!longest) return;
    workers_.erase(longest->who);
    longest->leave.set();
}

Workers::Worker& Workers::start(const Identity& who, std::vector<gid_t> groups)
{
    make_room();
    auto pair = ipc::make_pair();
    base::log::flush();     // else the child would write our gathered lines again
    pid_t pid = ::fork();
    if (pid < 0) throw base::SystemError("start a process");
    if (pid == 0) {
        WorkerSettings settings;
        settings.identity = who;
        settings.groups = std::move(groups);
        settings.change_user = limits_.change_user;
        settings.sandboxed = limits_.sandboxed;
        settings.for_virtual = limits_.for_virtual;
        run_worker(std::move(pair.theirs), settings, config_);
    }
    auto worker = std::make_unique<Worker>(pid, std::move(pair.ours), who);
    Worker& running = *worker;
    workers_[who] = &running;
    nursery_.start(look_after(std::move(worker)));
    return running;
}

async::Task<Answer> Workers::ask(Identity who, Order order)
{
    Answer refusal;
    if (!limits_.change_user) {
        if (who.uid != ::geteuid() || !who.chroot.empty()) {
            refusal.report = deferred("4.3.0", fmt::format("not privileged: cannot deliver as uid {}", who.uid));
            refusal.report.found = order.kind == Order::read_forward;
            co_return refusal;
        }
        who = {::geteuid(), ::getegid(), false, true, {}};
    }
    Waiting waiting;
    order.number = ++last_number_;
    uint64_t number = order.number;
    refusal.report.found = order.kind == Order::read_forward;
    try {
        std::vector<gid_t> groups{who.gid};
        if (who.supplementary && !workers_.count(who)) groups = co_await Users::groups_of(who.uid, who.gid);
        auto found = workers_.find(who);    // somebody else may have started it meanwhile
        Worker& worker = found != workers_.end() ? *found->second : start(who, std::move(groups));
        worker.last_used = base::steady_now();
        worker.waiting[number] = &waiting;
        // Whoever gives up waiting must not be answered.
        struct Withdraw {
            Workers& workers;
            uint64_t number;
            Waiting& waiting;
            ~Withdraw()
            {
                if (waiting.answered.ready()) return;
                for (Worker* worker : workers.all_) worker->waiting.erase(number);
            }
        };
        Withdraw withdraw{*this, number, waiting};
        if (worker.channel.post(std::move(order))) {
            co_await async::wait(waiting.answered);
            co_return std::move(waiting.answer);
        }
        refusal.report.text = "delivery process is gone";
    } catch (const std::exception& failure) {
        refusal.report.text = failure.what();
    }
    co_return refusal;
}

void Workers::take(Worker& worker, ipc::Packet packet)
{
    if (packet.type == Members::type) {
        Members part = ipc::unpack<Members>(packet);
        if (!worker.waiting.count(part.number)) return;
        auto& all = worker.members[part.number];
        for (Member& member : part.members) all.push_back(std::move(member));
        return;
    }
    Report report = ipc::unpack<Report>(packet);
    auto found = worker.waiting.find(report.number);
    auto members = worker.members.extract(report.number);
    if (found == worker.waiting.end()) return;
    Waiting* waiting = found->second;
    worker.waiting.erase(found);
    waiting->answer.report = std::move(report);
    if (members) waiting->answer.members = std::move(members.mapped());
    waiting->answered.set();
}

// Until it has been idle for long enough, is told to leave and has nothing left to do, or is gone.
async::Task<> Workers::converse(Worker& worker)
{
    while (true) {
        ipc::Packet packet;
        while (worker.channel.try_receive(packet)) take(worker, std::move(packet));
        if (worker.channel.at_end()) co_return;
        bool idle = worker.waiting.empty();
        if (idle && worker.leave.ready()) co_return;
        if (worker.leave.ready()) {
            co_await async::wait(worker.channel.readable());
            continue;
        }
        bool news = co_await async::wait_either(worker.channel.readable(), worker.leave, limits_.idle);
        if (!news && worker.waiting.empty()) co_return;
    }
}

async::Task<> Workers::look_after(std::unique_ptr<Worker> worker)
{
    std::string trouble;
    all_.insert(worker.get());
    try {
        co_await converse(*worker);
    } catch (const std::exception& failure) {
        trouble = failure.what();
    }
    if (auto found = workers_.find(worker->who); found != workers_.end() && found->second == worker.get()) workers_.erase(found);
    if (!trouble.empty()) {
        base::log::error("delivery process {}: {}", worker->child.pid(), trouble);
        worker->child.kill(SIGKILL);
    }
    for (auto& [number, waiting] : worker->waiting) {
        waiting->answer.report = deferred("4.3.0", "delivery process ended unexpectedly");
        waiting->answer.report.found = true;
        waiting->answered.set();
    }
    worker->waiting.clear();
    worker->channel.release();
    co_await async::wait(worker->child);
    all_.erase(worker.get());
    if (!worker->child.status().success()) base::log::warning("delivery process {}: {}", worker->child.pid(), worker->child.status().text());
}

void Workers::drain()
{
    for (auto& [who, worker] : workers_) worker->leave.set();
    workers_.clear();
}

void Workers::stop()
{
    for (Worker* worker : all_) worker->child.kill(SIGTERM);
}

} // namespace local_delivery
