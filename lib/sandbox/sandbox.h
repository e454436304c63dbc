// sandbox: giving up rights, for good. Errors are base::SystemError; a program that cannot become what it should must not go on.
#pragma once

#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace sandbox {

struct User {
    std::string name;
    uid_t uid = 0;
    gid_t gid = 0;
    std::string home, shell, real_name;
};

User find_user(const std::string& name);        // throws std::runtime_error when there is none
User find_user(uid_t uid);
std::optional<gid_t> find_group(const std::string& name);

// Sets groups, gid and uid, and proves that there is no way back. supplementary: also initgroups(3), for people's own processes;
// otherwise the user's group and the one named are the only ones.
void become(const User& user, bool supplementary = false, std::optional<gid_t> also = std::nullopt);
// The same with these groups, and without asking the name service: for a process that was forked from one with threads, any of which may
// have held a lock of the name service's at that moment.
void become(const User& user, const std::vector<gid_t>& groups);
std::vector<gid_t> groups_of(const User& user);     // what supplementary gives

// What a program still needs after it has opened everything.
struct Rights {
    bool network = false;                       // make internet connections
    bool fork_and_exec = false;                 // start other programs
    bool change_user = false;                   // root parents that fork workers
    std::vector<std::string> read;              // folders or files below which it may read (Landlock, where the kernel has it)
    std::vector<std::string> write;             // … and write, create, rename, remove, connect to sockets
};

// no_new_privs, non-dumpable, no core, seccomp filter, Landlock. Returns what could not be had ("Landlock: kernel has none").
std::vector<std::string> lock(const Rights& rights);

} // namespace sandbox
