// lock: the locks that mail programs agree on: fcntl, flock and "file.lock" beside the file.
#pragma once

#include "base/clock.h"
#include "base/fd.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace store {

enum class LockMethod { fcntl, flock, dotlock };

// mailbox_delivery_lock, deliver_lock_attempts, deliver_lock_delay, stale_lock_time.
struct LockPolicy {
    std::vector<LockMethod> methods{LockMethod::fcntl, LockMethod::dotlock};
    int attempts = 20;
    base::Duration delay{1000};
    base::Duration stale{500'000};
    bool dotlock_may_fail = false;      // no right to create the lock file: go on without, as Postfix does for files of aliases
};

// "fcntl, dotlock"; nothing when a word is not known.
std::optional<std::vector<LockMethod>> parse_lock_methods(std::string_view words);

// path.lock; holds "pid:host" as Dovecot writes it. A lock of a dead process of this host, or one older than stale, is taken over.
class DotLock {
public:
    DotLock(const std::string& path, const LockPolicy& policy);     // throws Trouble(locked)
    DotLock(DotLock&& other) noexcept : file_(std::exchange(other.file_, {})), inode_(other.inode_) {}
    DotLock& operator=(DotLock&&) = delete;
    ~DotLock();
    bool held() const { return !file_.empty(); }

private:
    bool attempt();
    void remove_stale(base::Duration stale);

    std::string file_;
    ino_t inode_ = 0;
};

enum class Share { read, write };

// fcntl (of the open file: also between threads) and flock; released when fd is closed. Throws Trouble(locked).
void lock_file(int fd, const std::string& name, const LockPolicy& policy, Share share = Share::write);

// An flock on path (created when missing), tried once; nothing when another holds it.
std::optional<base::Fd> try_flock(const std::string& path);

} // namespace store
