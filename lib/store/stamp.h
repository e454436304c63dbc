// stamp: whether a file or folder changed since we looked, also when the change fell into the same tick of the clock.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace store {

struct Stamp {
    ino_t inode = 0;            // 0: it is not there
    int64_t mtime = 0;          // nanoseconds
    int64_t ctime = 0;
    off_t size = 0;
    // The look was so soon after the change that another one could have the same time: look again next time.
    bool settled = false;

    bool same(const Stamp& now) const
    {
        return settled && inode == now.inode && mtime == now.mtime && ctime == now.ctime && size == now.size;
    }
};

// Take it before reading what it stands for.
Stamp stamp_of(const std::string& path);

} // namespace store
