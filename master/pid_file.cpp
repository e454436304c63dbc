#include "pid_file.h"

#include "base/text.h"

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

namespace master {
namespace {

std::string path_in(const std::string& queue_folder) { return queue_folder + "/pid/master.pid"; }

struct flock whole_file()
{
    struct flock lock{};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    return lock;
}

} // namespace

std::optional<base::Fd> take_lock(const std::string& queue_folder)
{
    std::string path = path_in(queue_folder);
    base::Fd fd = base::open_file(path, O_RDWR | O_CREAT, 0644);
    struct flock lock = whole_file();
    if (::fcntl(fd.get(), F_SETLK, &lock) != 0) {
        if (errno == EAGAIN || errno == EACCES) return std::nullopt;
        throw base::SystemError("lock " + path);
    }
    std::string text = fmt::format("{}\n", ::getpid());
    if (::ftruncate(fd.get(), 0) != 0) throw base::SystemError("truncate " + path);
    base::pwrite_all(fd.get(), text, 0, path);
    return fd;
}

std::optional<pid_t> running_master(const std::string& queue_folder)
{
    std::string path = path_in(queue_folder);
    if (!base::exists(path)) return std::nullopt;
    base::Fd fd = base::open_file(path, O_RDONLY);
    struct flock lock = whole_file();
    lock.l_type = F_RDLCK;
    if (::fcntl(fd.get(), F_GETLK, &lock) != 0) throw base::SystemError("look at the lock of " + path);
    if (lock.l_type == F_UNLCK) return std::nullopt;
    return lock.l_pid;
}

} // namespace master
