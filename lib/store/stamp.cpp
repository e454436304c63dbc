#include "store/stamp.h"

#include "base/error.h"

#include <sys/stat.h>

#include <ctime>

namespace store {

namespace {

int64_t nanoseconds(const timespec& time) { return static_cast<int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec; }

// File times move with the kernel's tick (10 ms at most); file systems without fractions, with seconds.
constexpr int64_t tick = 20'000'000, whole_seconds = 2'000'000'000;

} // namespace

Stamp stamp_of(const std::string& path)
{
    struct stat info{};
    if (::stat(path.c_str(), &info) != 0) {
        if (errno != ENOENT && errno != ENOTDIR) throw base::SystemError("stat " + path);
        Stamp none;
        none.settled = true;
        return none;
    }
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    Stamp stamp;
    stamp.inode = info.st_ino;
    stamp.mtime = nanoseconds(info.st_mtim);
    stamp.ctime = nanoseconds(info.st_ctim);
    stamp.size = info.st_size;
    int64_t age = nanoseconds(now) - stamp.ctime;
    int64_t margin = info.st_ctim.tv_nsec == 0 ? whole_seconds : tick;
    stamp.settled = age > margin || age < -margin;
    return stamp;
}

} // namespace store
