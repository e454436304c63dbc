#include "store/folder_lock.h"

#include <fcntl.h>

namespace store {

namespace {

LockPolicy policy()
{
    LockPolicy policy;
    policy.methods = {LockMethod::flock};
    policy.attempts = 6000;
    policy.delay = base::Duration(5);
    policy.stale = base::Duration(120'000);     // Dovecot's own figure
    return policy;
}

base::Fd lock_folder(const std::string& folder)
{
    base::Fd fd = base::open_file(folder, O_RDONLY | O_DIRECTORY);
    lock_file(fd.get(), folder, policy());
    return fd;
}

} // namespace

FolderLock::FolderLock(const std::string& folder, const std::string& file)
    : folder_(lock_folder(folder)), dotlock_(folder + "/" + file, policy())
{
}

DotLock lock_beside(const std::string& path) { return DotLock(path, policy()); }

} // namespace store
