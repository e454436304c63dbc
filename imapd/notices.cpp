#include "notices.h"

#include "async/watch.h"
#include "base/fd.h"
#include "base/log.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>

namespace imapd {

namespace {

constexpr uint32_t interesting =
    IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE | IN_MODIFY | IN_DELETE_SELF | IN_MOVE_SELF;

// Where the kernel's events arrive. Without inotify (limits, old systems) it tells nothing, and IDLE's polling remains.
class Instance final : private async::Waiter {
public:
    Instance() : fd_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC))
    {
        if (!fd_) {
            base::log::warning("inotify: {}", base::error_text(errno));
            return;
        }
        watch_.emplace(fd_.get());
        watch_->readable().set_waiter(this);
        woken();
    }

    int add(const std::string& path, async::Flag& flag)
    {
        if (!fd_) return -1;
        int number = ::inotify_add_watch(fd_.get(), path.c_str(), interesting);
        if (number >= 0) flags_.emplace(number, &flag);
        return number;
    }

    void remove(int number, async::Flag& flag)
    {
        auto [begin, end] = flags_.equal_range(number);
        auto mine = std::find_if(begin, end, [&](const auto& entry) { return entry.second == &flag; });
        if (mine != end) flags_.erase(mine);
        if (flags_.find(number) == flags_.end()) ::inotify_rm_watch(fd_.get(), number);
    }

private:
    void woken() override
    {
        alignas(inotify_event) char bytes[4096];
        while (true) {
            ssize_t got = ::read(fd_.get(), bytes, sizeof bytes);
            if (got <= 0) break;
            for (ssize_t at = 0; at < got;) {
                const auto* event = reinterpret_cast<const inotify_event*>(bytes + at);
                at += static_cast<ssize_t>(sizeof *event + event->len);
                tell(event->wd, event->mask);
            }
        }
        watch_->clear_readable();
    }

    void tell(int number, uint32_t mask)
    {
        if (mask & IN_Q_OVERFLOW)
            for (auto& [any, flag] : flags_) flag->set();
        auto [begin, end] = flags_.equal_range(number);
        for (auto entry = begin; entry != end; ++entry) entry->second->set();
        if (mask & IN_IGNORED) flags_.erase(begin, end);
    }

    base::Fd fd_;
    std::optional<async::Watch> watch_;
    std::multimap<int, async::Flag*> flags_;
};

std::unique_ptr<Instance>& slot()
{
    static std::unique_ptr<Instance> instance;
    return instance;
}

Instance& instance()
{
    if (!slot()) slot() = std::make_unique<Instance>();
    return *slot();
}

} // namespace

Notice::Notice(const std::vector<std::string>& paths)
{
    for (const auto& path : paths) {
        int number = instance().add(path, news_);
        if (number >= 0)
            watches_.push_back(number);
        else
            sees_all_ = false;
    }
}

Notice::~Notice()
{
    for (int number : watches_) instance().remove(number, news_);
}

} // namespace imapd
