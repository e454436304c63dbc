// folder_lock: one writer at a time of a folder's dovecot-* files: an flock for our own processes, which dies with its holder, and
// Dovecot's lock file for everybody else.
#pragma once

#include "store/lock.h"

#include <string>

namespace store {

class FolderLock {
public:
    // file: "dovecot-uidlist" …; its lock file stands beside it. Throws Trouble(locked).
    FolderLock(const std::string& folder, const std::string& file);

private:
    base::Fd folder_;
    DotLock dotlock_;
};

// Only the lock file: for what is needed while a FolderLock of the same folder is held.
DotLock lock_beside(const std::string& path);

} // namespace store
