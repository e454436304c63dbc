#include "maildrop.h"

#include "async/watch.h"
#include "base/fd.h"
#include "base/log.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>

namespace qmgr {
namespace {

constexpr size_t most_at_once = 20;
constexpr async::Limit look_again{60000};

// postdrop writes under a name with a dot in front, and renames when it is complete and on disk.
bool is_finished_name(std::string_view name) { return !name.empty() && name[0] != '.'; }

} // namespace

void Maildrop::offered(ipc::Channel& channel)
{
    taker_ = &channel;
    handed_out_.clear();
    scan();
}

void Maildrop::withdrawn(ipc::Channel& channel)
{
    if (taker_ != &channel) return;
    taker_ = nullptr;
    handed_out_.clear();
    open_verdicts_ = 0;
}

void Maildrop::answered(const spool::PickedUp& verdict)
{
    if (handed_out_.erase(verdict.name) == 0) return;
    if (open_verdicts_ > 0) --open_verdicts_;
    std::string path = folder_ + "/" + verdict.name;
    if (verdict.verdict == spool::PickedUp::accepted) {
        if (::unlink(path.c_str()) != 0) base::log::warning("remove {}: {}", path, base::error_text(errno));
    } else if (verdict.verdict == spool::PickedUp::refused) {
        base::log::warning("maildrop/{}: refused: {}; moved to the corrupt queue", verdict.name, verdict.text);
        std::string target = folder_ + "/../corrupt/maildrop." + verdict.name;
        if (::rename(path.c_str(), target.c_str()) != 0) base::log::warning("rename {}: {}", path, base::error_text(errno));
    } else {
        base::log::warning("maildrop/{}: not taken yet: {}", verdict.name, verdict.text);
        handed_out_[verdict.name] = true;    // not again before somebody offers anew, or the next look
        return;
    }
    scan();
}

void Maildrop::hand_out(const std::string& name)
{
    std::string path = folder_ + "/" + name;
    struct stat info;
    spool::Pickup pickup;
    try {
        pickup.file = base::open_file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    } catch (const base::SystemError& failure) {
        base::log::warning("{}", failure.what());
        handed_out_[name] = true;
        return;
    }
    if (::fstat(pickup.file.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
        base::log::warning("{}: not a regular file", path);
        handed_out_[name] = true;
        return;
    }
    pickup.name = name;
    pickup.uid = info.st_uid;
    handed_out_[name] = true;
    taker_->post(std::move(pickup));
    ++open_verdicts_;
}

void Maildrop::scan()
{
    if (!taker_ || handed_out_.size() >= most_at_once) return;
    std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(folder_.c_str()), ::closedir);
    if (!dir) return;
    while (dirent* entry = ::readdir(dir.get())) {
        std::string name = entry->d_name;
        if (!is_finished_name(name) || handed_out_.count(name)) continue;
        hand_out(name);
        if (handed_out_.size() >= most_at_once) return;
    }
}

async::Task<> Maildrop::scan_forever()
{
    base::Fd news(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    if (news) ::inotify_add_watch(news.get(), folder_.c_str(), IN_MOVED_TO | IN_CREATE);
    std::unique_ptr<async::Watch> watch = news ? std::make_unique<async::Watch>(news.get()) : nullptr;
    async::Flag never;
    while (true) {
        async::Source& source = watch ? watch->readable() : never;
        bool told = co_await async::wait(source, look_again);
        if (told) {
            char events[4096];
            while (::read(news.get(), events, sizeof events) > 0) {}
            watch->clear_readable();
        } else {
            handed_out_.clear();    // what was put off may go now
        }
        scan();
    }
}

} // namespace qmgr
