#include "retry.h"

#include "async/offload.h"
#include "base/log.h"

#include <sys/stat.h>

namespace qmgr {
namespace {

constexpr async::Limit stray_interval{300000};
constexpr int64_t incomplete_lifetime = 1800;    // seconds; whoever still writes to it is not ours any more

async::Task<std::vector<std::string>> list(const spool::Folders& folders, spool::Place place)
{
    auto work = [folders, place] { return folders.list(place); };
    std::vector<std::string> ids = co_await async::offload(std::move(work));
    co_return ids;
}

bool is_old(const spool::Folders& folders, const std::string& id)
{
    struct stat info;
    return ::stat(folders.path({spool::Queue::incoming}, id).c_str(), &info) == 0 && now_seconds() - info.st_mtime > incomplete_lifetime;
}

enum class Finding { complete, incomplete, gone };

Finding look_at(const spool::Folders& folders, const std::string& id)
{
    try {
        base::Fd fd = folders.open({spool::Queue::incoming}, id);
        spool::read_message(fd.get(), id, true);
        return Finding::complete;
    } catch (const spool::Damaged&) {
        return Finding::incomplete;
    } catch (const base::SystemError&) {
        return Finding::gone;
    }
}

} // namespace

void Retry::start()
{
    for (int64_t when : manager_.folders().due_times()) times_.insert(when);
    manager_.on_deferred = [this](int64_t when) { add(when); };
    manager_.nursery().start(take_up_leftovers());
    manager_.nursery().start(look_for_strays());
    manager_.nursery().start(run());
}

void Retry::add(int64_t when)
{
    times_.insert(when);
    changed_.set();
}

void Retry::flush()
{
    manager_.flush_destinations();
    flushed_ = times_;
    changed_.set();
}

async::Task<> Retry::take_up_leftovers()
{
    co_await take_all({spool::Queue::active}, false);
}

// Complete messages in incoming that nobody committed to us (their maker outlived a queue manager, or died), and what was never finished.
async::Task<> Retry::look_for_strays()
{
    spool::Place incoming{spool::Queue::incoming};
    bool all = true;
    while (true) {
        manager_.look_again.clear();
        std::vector<std::string> ids = co_await list(manager_.folders(), incoming);
        for (const auto& id : ids) {
            if (manager_.knows(id) || (!all && !is_old(manager_.folders(), id))) continue;
            auto look = [folders = manager_.folders(), id] { return look_at(folders, id); };
            Finding finding = co_await async::offload(std::move(look));
            if (finding == Finding::complete)
                manager_.accept(id, {});
            else if (finding == Finding::incomplete && is_old(manager_.folders(), id))
                manager_.folders().remove(incoming, id);
        }
        all = co_await async::wait(manager_.look_again, stray_interval);
    }
}

async::Task<> Retry::take_all(spool::Place place, bool check_content)
{
    std::vector<std::string> ids = co_await list(manager_.folders(), place);
    for (const auto& id : ids) {
        while (manager_.full()) {
            manager_.room_again.clear();
            co_await async::wait(manager_.room_again);
        }
        manager_.activate(place, id, {}, check_content);
        co_await async::Yield();
    }
}

async::Task<> Retry::take_folder(int64_t when)
{
    std::string trouble;
    try {
        co_await take_all({spool::Queue::deferred, when}, false);
    } catch (const base::SystemError& failure) {
        trouble = failure.what();
    }
    if (!trouble.empty()) base::log::error("{}", trouble);
    manager_.folders().forget_due_time(when);
}

async::Task<> Retry::run()
{
    while (true) {
        changed_.clear();
        std::vector<int64_t> due(flushed_.begin(), flushed_.end());
        flushed_.clear();
        if (due.empty() && !times_.empty() && *times_.begin() <= now_seconds()) due.push_back(*times_.begin());
        for (int64_t when : due) {
            times_.erase(when);
            co_await take_folder(when);
        }
        if (!due.empty()) continue;
        auto limit = async::no_limit;
        if (!times_.empty()) limit = std::chrono::milliseconds(std::clamp<int64_t>((*times_.begin() - now_seconds()) * 1000, 50, 3600000));
        co_await async::wait(changed_, limit);
    }
}

} // namespace qmgr
