// file_stamp: which state of a file was read.
#include "maps/file_stamp.h"

#include <cerrno>

namespace maps {

namespace {

long long nanoseconds(const timespec& when) { return when.tv_sec * 1'000'000'000LL + when.tv_nsec; }

FileStamp from(int failed, const struct stat& info)
{
    FileStamp stamp;
    if (failed != 0) {
        stamp.error = errno;
        return stamp;
    }
    stamp.device = info.st_dev;
    stamp.inode = info.st_ino;
    stamp.size = info.st_size;
    stamp.modified = nanoseconds(info.st_mtim);
    stamp.changed = nanoseconds(info.st_ctim);
    return stamp;
}

} // namespace

FileStamp stamp_of(const std::string& path)
{
    struct stat info {};
    return from(::stat(path.c_str(), &info), info);
}

FileStamp stamp_of(int fd)
{
    struct stat info {};
    return from(::fstat(fd, &info), info);
}

} // namespace maps
