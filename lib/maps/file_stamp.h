// file_stamp: which state of a file was read, to notice that it changed, at the cost of one stat now and then.
#pragma once

#include "base/clock.h"

#include <sys/stat.h>

#include <string>

namespace maps {

struct FileStamp {
    int error = 0;                       // errno of stat; 0 when the file is there
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;
    long long modified = 0, changed = 0; // nanoseconds

    bool operator==(const FileStamp&) const = default;
    bool there() const { return error == 0; }
};

FileStamp stamp_of(const std::string& path);
FileStamp stamp_of(int fd);

// True at first, and then at most once an interval.
class Seldom {
public:
    explicit Seldom(base::Duration interval) : interval_(interval) {}
    bool due()
    {
        auto now = base::steady_now();
        if (asked_ && now - last_ < interval_) return false;
        asked_ = true;
        last_ = now;
        return true;
    }

private:
    base::Duration interval_;
    base::Steady last_{};
    bool asked_ = false;
};

} // namespace maps
