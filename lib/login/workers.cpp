#include "login/workers.h"

#include "base/log.h"
#include "login/worker.h"

#include <unistd.h>

#include <csignal>

namespace login {

// One worker process as the supervisor sees it; lives in look_after().
struct Workers::Worker {
    Worker(pid_t pid, base::Fd fd, Key key) : channel(std::move(fd)), child(pid), key(key) {}
    bool is_idle() const { return sessions.empty(); }

    ipc::Channel channel;
    async::Child child;
    Key key;
    std::map<uint64_t, UserAndAddress> sessions;
    async::Flag leave;      // set: no new sessions; the channel closes, and the worker ends when its sessions have
};

Workers::Workers(std::string protocol, Limits limits, SessionFunction session)
    : protocol_(std::move(protocol)), limits_(limits), session_(std::move(session))
{
}

Workers::~Workers() = default;

size_t Workers::sessions() const
{
    size_t count = 0;
    for (const auto& [who, number] : sessions_) count += number;
    return count;
}

Workers::Worker& Workers::worker_for(const Account& account)
{
    Key key{account.uid, account.gid};
    if (!limits_.change_user) key = {::geteuid(), ::getegid()};
    if (auto found = workers_.find(key); found != workers_.end()) return *found->second;

    auto pair = ipc::make_pair();
    base::log::flush();     // else the child would write our gathered lines again
    pid_t pid = ::fork();
    if (pid < 0) throw base::SystemError("start a process for " + account.user);
    if (pid == 0) {
        WorkerSettings settings;
        settings.uid = key.uid;
        settings.gid = key.gid;
        settings.change_user = limits_.change_user;
        settings.sandboxed = limits_.sandboxed;
        run_worker(std::move(pair.theirs), settings, session_);
    }
    auto worker = std::make_unique<Worker>(pid, std::move(pair.ours), key);
    Worker& running = *worker;
    workers_[key] = &running;
    nursery_.start(look_after(std::move(worker)));
    return running;
}

HandedOver Workers::give(HandOver message, const Account& account)
{
    HandedOver answer;
    if (limits_.change_user && account.uid == 0) {
        base::log::warning("{}: {} is root, who can't have a session", message.session_id, account.user);
        answer.verdict = HandedOver::not_authenticated;
        return answer;
    }
    UserAndAddress who{account.user, message.remote};
    if (limits_.sessions_per_user_and_address > 0) {
        auto found = sessions_.find(who);
        if (found != sessions_.end() && found->second >= limits_.sessions_per_user_and_address) {
            answer.verdict = HandedOver::too_many;
            return answer;
        }
    }
    Worker& worker = worker_for(account);
    Serve serve{++last_number_, std::move(message), account.user, account.uid, account.gid, account.home, account.mail_location};
    worker.channel.post(std::move(serve));
    worker.sessions[last_number_] = who;
    ++sessions_[who];
    answer.verdict = HandedOver::taken;
    answer.pid = static_cast<uint32_t>(worker.child.pid());
    return answer;
}

void Workers::session_ended(Worker& worker, uint64_t number)
{
    auto ended = worker.sessions.find(number);
    if (ended == worker.sessions.end()) throw ipc::Malformed("end of a session that there is not");
    auto count = sessions_.find(ended->second);
    if (--count->second == 0) sessions_.erase(count);
    worker.sessions.erase(ended);
}

// Counts the sessions that end, until the worker has been idle for long enough, is told to leave, or is gone.
async::Task<> Workers::converse(Worker& worker)
{
    while (!worker.leave.ready()) {
        ipc::Packet packet;
        while (worker.channel.try_receive(packet)) session_ended(worker, ipc::unpack<Ended>(packet).number);
        if (worker.channel.at_end()) co_return;
        auto limit = worker.is_idle() ? limits_.idle : async::no_limit;
        bool news = co_await async::wait_either(worker.channel.readable(), worker.leave, limit);
        if (!news && worker.is_idle()) co_return;
    }
}

async::Task<> Workers::look_after(std::unique_ptr<Worker> worker)
{
    std::string trouble;
    try {
        co_await converse(*worker);
    } catch (const std::exception& failure) {
        trouble = failure.what();
    }
    if (auto found = workers_.find(worker->key); found != workers_.end() && found->second == worker.get()) workers_.erase(found);
    if (!trouble.empty()) {
        base::log::error("{} process {}: {}", protocol_, worker->child.pid(), trouble);
        worker->child.kill(SIGKILL);
    }
    leaving_.insert(worker.get());
    worker->channel.release();
    co_await async::wait(worker->child);
    leaving_.erase(worker.get());
    while (!worker->is_idle()) session_ended(*worker, worker->sessions.begin()->first);
    if (!worker->child.status().success())
        base::log::warning("{} process {}: {}", protocol_, worker->child.pid(), worker->child.status().text());
}

void Workers::drain()
{
    for (auto& [key, worker] : workers_) worker->leave.set();
}

void Workers::stop()
{
    for (auto& [key, worker] : workers_) worker->child.kill(SIGTERM);
    for (auto* worker : leaving_) worker->child.kill(SIGTERM);
}

} // namespace login
