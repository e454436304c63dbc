// The lock really refuses, tried in forked children: what it refuses cannot be had back.
#include "sandbox/sandbox.h"

#include "base/error.h"
#include "catch.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <thread>

namespace {

using Act = int (*)();      // 0, or errno

int result(long value) { return value < 0 ? errno : 0; }

int exec() { return result(::execl("/bin/true", "true", nullptr)); }
int fork_one()
{
    pid_t pid = ::fork();
    if (pid == 0) ::_exit(0);
    return result(pid);
}
int inet_socket() { return result(::socket(AF_INET, SOCK_STREAM, 0)); }
int inet6_socket() { return result(::socket(AF_INET6, SOCK_STREAM, 0)); }
int unix_socket() { return result(::socket(AF_UNIX, SOCK_STREAM, 0)); }
int packet_socket() { return result(::socket(AF_PACKET, SOCK_RAW, 0)); }
int netlink_socket() { return result(::socket(AF_NETLINK, SOCK_RAW, 0)); }
int trace() { return result(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr)); }
int set_user() { return result(::setuid(::getuid())); }
int load_filter() { return result(::syscall(SYS_bpf, 0, nullptr, 0)); }
int new_namespace() { return result(::unshare(CLONE_NEWUSER)); }
int thread()
{
    int done = 0;
    std::thread worker([&] { done = 1; });
    worker.join();
    return done ? 0 : ECANCELED;
}
int read_passwd() { return result(::open("/etc/passwd", O_RDONLY)); }

// What act() says in a child that has locked itself: 0 or errno.
int locked(const sandbox::Rights& rights, Act act)
{
    pid_t pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        int code = 200;
        try {
            sandbox::lock(rights);
            code = act();
        } catch (...) {
        }
        ::_exit(code);
    }
    int status = 0;
    REQUIRE(::waitpid(pid, &status, 0) == pid);
    REQUIRE(WIFEXITED(status));
    return WEXITSTATUS(status);
}

bool have_seccomp()
{
    static const bool have = locked({}, trace) == EPERM;
    return have;
}

} // namespace

TEST_CASE("a locked program can't do what it does not need", "[sandbox]")
{
    if (!have_seccomp()) return;    // lock() says so to its caller
    sandbox::Rights nothing;
    nothing.read = {"/"};
    struct Case {
        const char* what;
        Act act;
        int expected;
    };
    Case cases[] = {
        {"execve", exec, EPERM},       {"fork", fork_one, EPERM},          {"AF_INET", inet_socket, EACCES}, {"AF_INET6", inet6_socket, EACCES},
        {"AF_UNIX", unix_socket, 0},   {"AF_PACKET", packet_socket, EACCES}, {"AF_NETLINK", netlink_socket, EACCES}, {"ptrace", trace, EPERM},
        {"setuid", set_user, EPERM},   {"bpf", load_filter, EPERM},        {"unshare", new_namespace, EPERM}, {"threads", thread, 0},
        {"reading", read_passwd, 0},
    };
    for (const auto& c : cases) {
        CAPTURE(c.what);
        CHECK(locked(nothing, c.act) == c.expected);
    }
}

TEST_CASE("rights that were asked for are kept", "[sandbox]")
{
    if (!have_seccomp()) return;
    sandbox::Rights network;
    network.network = true;
    network.read = {"/"};
    CHECK(locked(network, inet_socket) == 0);
    CHECK(locked(network, inet6_socket) != EACCES);
    CHECK(locked(network, exec) == EPERM);
    CHECK(locked(network, trace) == EPERM);
    sandbox::Rights change_user;
    change_user.change_user = true;
    change_user.read = {"/"};
    CHECK(locked(change_user, set_user) == 0);
    CHECK(locked(change_user, exec) == EPERM);
    CHECK(locked(change_user, inet_socket) == EACCES);
    sandbox::Rights programs;
    programs.fork_and_exec = true;
    CHECK(locked(programs, fork_one) == 0);
    CHECK(locked(programs, exec) == 0);
}

TEST_CASE("a locked program leaves no core and can't be looked into", "[sandbox]")
{
    sandbox::Rights rights;
    auto quiet = [] {
        rlimit core{1, 1};
        ::getrlimit(RLIMIT_CORE, &core);
        return core.rlim_cur == 0 && core.rlim_max == 0 && ::prctl(PR_GET_DUMPABLE) == 0 ? 0 : 1;
    };
    CHECK(locked(rights, quiet) == 0);
    CHECK(locked(rights, [] { return ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 1; }) == 0);
}

TEST_CASE("files out of reach stay there, where the kernel has Landlock", "[sandbox]")
{
    static char folder[] = "/tmp/sandbox-test.XXXXXX";
    REQUIRE(::mkdtemp(folder));
    sandbox::Rights rights;
    rights.write = {folder};
    int reading = locked(rights, read_passwd);
    CHECK((reading == EACCES || reading == 0));     // 0: this kernel has none
    auto write_inside = [] { return result(::open((std::string(folder) + "/file").c_str(), O_CREAT | O_WRONLY, 0600)); };
    CHECK(locked(rights, write_inside) == 0);
    rights.read = {"/etc/passwd"};
    CHECK(locked(rights, read_passwd) == 0);
    std::filesystem::remove_all(folder);
}

TEST_CASE("users are found by name and number", "[sandbox]")
{
    CHECK(sandbox::find_user("root").uid == 0);
    CHECK(sandbox::find_user(uid_t{0}).name == "root");
    CHECK_THROWS_AS(sandbox::find_user("no-such-user-here"), std::runtime_error);
    CHECK_THROWS_AS(sandbox::find_user(""), std::runtime_error);
    CHECK_THROWS_AS(sandbox::find_user(uid_t{3999999999}), std::runtime_error);
}

TEST_CASE("who becomes another user can't come back", "[sandbox]")
{
    if (::getuid() != 0) return;
    pid_t pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        int code = 1;
        try {
            sandbox::User user = sandbox::find_user("nobody");
            sandbox::become(user);
            gid_t groups[64];
            bool changed = ::getuid() == user.uid && ::geteuid() == user.uid && ::getgid() == user.gid && ::getgroups(64, groups) <= 1;
            code = changed && ::setuid(0) != 0 && ::seteuid(0) != 0 ? 0 : 2;
        } catch (...) {
        }
        ::_exit(code);
    }
    int status = 0;
    REQUIRE(::waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
}
