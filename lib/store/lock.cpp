#include "store/lock.h"

#include "store/trouble.h"
#include "base/text.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <thread>

namespace store {

namespace {

std::string host_name()
{
    char name[256] = "";
    ::gethostname(name, sizeof name - 1);
    return name;
}

// Whether a lock file's "pid:host" names a process of this host that is no more.
bool holder_is_dead(const std::string& file)
{
    try {
        base::Fd fd = base::open_file(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
        std::string text = base::read_all(fd.get(), file, 1000);
        base::Cut holder = base::cut(base::trim(text), ':');
        auto pid = base::number<pid_t>(holder.before);
        return pid && *pid > 0 && holder.found && holder.after == host_name() && ::kill(*pid, 0) != 0 && errno == ESRCH;
    } catch (const base::SystemError&) {
        return false;
    }
}

bool try_fcntl(int fd, Share share)
{
    struct flock lock{};
    lock.l_type = share == Share::write ? F_WRLCK : F_RDLCK;
    lock.l_whence = SEEK_SET;
    // A lock of the open file and not of the process: threads must exclude each other too.
    int result = ::fcntl(fd, F_OFD_SETLK, &lock);
    if (result != 0 && errno == EINVAL) result = ::fcntl(fd, F_SETLK, &lock);
    if (result == 0) return true;
    if (errno == EAGAIN || errno == EACCES || errno == EINTR) return false;
    throw base::SystemError("fcntl lock");
}

bool try_flock(int fd, Share share)
{
    if (::flock(fd, (share == Share::write ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0) return true;
    if (errno == EWOULDBLOCK || errno == EINTR) return false;
    throw base::SystemError("flock");
}

[[noreturn]] void give_up(const std::string& name)
{
    throw Trouble(Trouble::Kind::locked, fmt::format("{} is locked by another program", name));
}

} // namespace

std::optional<std::vector<LockMethod>> parse_lock_methods(std::string_view words)
{
    std::vector<LockMethod> methods;
    for (std::string_view word : base::split(words)) {
        if (word == "fcntl") methods.push_back(LockMethod::fcntl);
        else if (word == "flock") methods.push_back(LockMethod::flock);
        else if (word == "dotlock") methods.push_back(LockMethod::dotlock);
        else return std::nullopt;
    }
    return methods;
}

bool DotLock::attempt()
{
    int fd = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        if (errno == EEXIST || errno == EINTR) return false;
        throw base::SystemError("create " + file_);
    }
    base::Fd lock(fd);
    struct stat info{};
    if (::fstat(fd, &info) != 0) throw base::SystemError("stat " + file_);
    inode_ = info.st_ino;
    try {
        base::write_all(fd, fmt::format("{}:{}", ::getpid(), host_name()), file_);
    } catch (const base::SystemError&) {
        // A full disk: the lock holds all the same, only its reader does not learn who we are.
    }
    return true;
}

void DotLock::remove_stale(base::Duration stale)
{
    struct stat seen{}, again{};
    if (::lstat(file_.c_str(), &seen) != 0) return;
    auto age = base::unix_seconds(base::wall_now()) - static_cast<int64_t>(seen.st_mtim.tv_sec);
    if (age * 1000 <= stale.count() && !holder_is_dead(file_)) return;
    if (::lstat(file_.c_str(), &again) == 0 && again.st_ino == seen.st_ino) ::unlink(file_.c_str());
}

DotLock::DotLock(const std::string& path, const LockPolicy& policy) : file_(path + ".lock")
{
    for (int left = policy.attempts;; --left) {
        try {
            if (attempt()) return;
            remove_stale(policy.stale);
            if (attempt()) return;
        } catch (const base::SystemError& error) {
            bool no_right = error.code() == EACCES || error.code() == EPERM || error.code() == EROFS;
            if (!no_right || !policy.dotlock_may_fail) throw;
            file_.clear();
            return;
        }
        if (left <= 1) break;
        std::this_thread::sleep_for(policy.delay);
    }
    file_.clear();
    give_up(path);
}

DotLock::~DotLock()
{
    struct stat info{};
    if (!file_.empty() && ::lstat(file_.c_str(), &info) == 0 && info.st_ino == inode_) ::unlink(file_.c_str());
}

void lock_file(int fd, const std::string& name, const LockPolicy& policy, Share share)
{
    for (LockMethod method : policy.methods) {
        if (method == LockMethod::dotlock) continue;
        for (int left = policy.attempts;; --left) {
            if (method == LockMethod::fcntl ? try_fcntl(fd, share) : try_flock(fd, share)) break;
            if (left <= 1) give_up(name);
            std::this_thread::sleep_for(policy.delay);
        }
    }
}

std::optional<base::Fd> try_flock(const std::string& path)
{
    base::Fd fd = base::open_file(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
    if (!try_flock(fd.get(), Share::write)) return std::nullopt;
    return fd;
}

} // namespace store
