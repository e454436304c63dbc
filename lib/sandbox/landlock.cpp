#include "sandbox/landlock.h"

#include "base/error.h"
#include "base/fd.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if __has_include(<linux/landlock.h>)
#include <linux/landlock.h>
#endif

namespace sandbox {

#if defined(__NR_landlock_create_ruleset)
namespace {

constexpr uint64_t reading = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr uint64_t writing = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                             LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
                             LANDLOCK_ACCESS_FS_REFER;
constexpr long version_with_refer = 2;      // before it, and unless REFER is asked for, renames between folders are refused
constexpr uint64_t handled = reading | writing | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
                             LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_MAKE_FIFO;
constexpr uint64_t for_a_file = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;

void allow(int ruleset, const std::string& path, uint64_t access)
{
    base::Fd fd(::open(path.c_str(), O_PATH | O_CLOEXEC));
    if (!fd) return;
    bool is_folder = ::faccessat(fd.get(), ".", F_OK, 0) == 0;
    landlock_path_beneath_attr rule{};
    rule.parent_fd = fd.get();
    rule.allowed_access = is_folder ? access : access & for_a_file;
    ::syscall(__NR_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

} // namespace

std::string restrict_files(const std::vector<std::string>& read, const std::vector<std::string>& write)
{
    long version = ::syscall(__NR_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < version_with_refer) return "Landlock: this kernel has none that allows renames between folders";
    landlock_ruleset_attr attributes{};
    attributes.handled_access_fs = handled;
    base::Fd ruleset(static_cast<int>(::syscall(__NR_landlock_create_ruleset, &attributes, sizeof attributes, 0)));
    if (!ruleset) return "Landlock: " + base::error_text(errno);
    for (const auto& path : read) allow(ruleset.get(), path, reading);
    for (const auto& path : write) allow(ruleset.get(), path, reading | writing);
    if (::syscall(__NR_landlock_restrict_self, ruleset.get(), 0) != 0) return "Landlock: " + base::error_text(errno);
    return "";
}
#else
std::string restrict_files(const std::vector<std::string>&, const std::vector<std::string>&) { return "Landlock: not built in"; }
#endif

} // namespace sandbox
