// lock: no_new_privs, resource limits, seccomp and the call of Landlock, for the rest of the process's life.
#include "sandbox/landlock.h"
#include "sandbox/sandbox.h"

#include "base/error.h"

#include <fmt/format.h>

#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>

namespace sandbox {
namespace {

// What no mail program ever needs. By name: a system call that this kernel's headers do not know is passed over.
constexpr const char* never[] = {
    "ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "pidfd_getfd", "mount", "umount2", "move_mount", "open_tree", "fsopen",
    "fsconfig", "fsmount", "fspick", "mount_setattr", "pivot_root", "chroot", "swapon", "swapoff", "reboot", "kexec_load",
    "kexec_file_load", "init_module", "finit_module", "delete_module", "bpf", "perf_event_open", "userfaultfd", "keyctl", "add_key",
    "request_key", "open_by_handle_at", "name_to_handle_at", "unshare", "setns", "acct", "quotactl", "settimeofday", "clock_settime",
    "clock_adjtime", "adjtimex", "sethostname", "setdomainname", "iopl", "ioperm", "personality", "mknod", "mknodat", "io_uring_setup",
    "io_uring_enter", "io_uring_register", "vhangup", "syslog", "memfd_secret",
};
constexpr const char* changing_user[] = {"setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups", "setfsuid", "setfsgid"};
constexpr const char* starting_programs[] = {"execve", "execveat", "fork", "vfork"};

class Filter {
public:
    Filter() : context_(::seccomp_init(SCMP_ACT_ALLOW), ::seccomp_release)
    {
        if (!context_) throw base::SystemError("seccomp", ENOMEM);
    }
    void refuse(const char* name)
    {
        int number = ::seccomp_syscall_resolve_name(name);
        if (number != __NR_SCMP_ERROR) ::seccomp_rule_add(context_.get(), SCMP_ACT_ERRNO(EPERM), number, 0);
    }
    template <size_t N> void refuse(const char* const (&names)[N])
    {
        for (const char* name : names) refuse(name);
    }
    void refuse_new_processes()
    {
        // Threads are made by clone() with CLONE_THREAD. clone3() hides its flags from the filter: ENOSYS makes libc use clone().
        ::seccomp_rule_add(context_.get(), SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
        refuse_when(SCMP_SYS(clone), {0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0}, EPERM);
    }
    void refuse_socket(int family) { refuse_when(SCMP_SYS(socket), {0, SCMP_CMP_EQ, static_cast<scmp_datum_t>(family), 0}, EACCES); }
    int load() { return ::seccomp_load(context_.get()); }

private:
    void refuse_when(int call, scmp_arg_cmp when, uint32_t error)
    {
        ::seccomp_rule_add_array(context_.get(), SCMP_ACT_ERRNO(error), call, 1, &when);
    }
    std::unique_ptr<void, void (*)(scmp_filter_ctx)> context_;
};

std::string load_seccomp(const Rights& rights)
{
    Filter filter;
    filter.refuse(never);
    if (!rights.change_user) filter.refuse(changing_user);
    if (!rights.fork_and_exec) {
        filter.refuse(starting_programs);
        if (!rights.change_user) filter.refuse_new_processes();
    }
    for (int family : {AF_PACKET, AF_NETLINK, AF_VSOCK, AF_BLUETOOTH, AF_ALG})
        if (!(rights.network && family == AF_NETLINK)) filter.refuse_socket(family);    // getaddrinfo and c-ares ask by netlink
    if (!rights.network) {
        filter.refuse_socket(AF_INET);
        filter.refuse_socket(AF_INET6);
    }
    int result = filter.load();
    return result == 0 ? "" : fmt::format("seccomp: {}", base::error_text(-result));
}

} // namespace

std::vector<std::string> lock(const Rights& rights)
{
    std::vector<std::string> missing;
    rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    ::prctl(PR_SET_DUMPABLE, 0);
    // A program that starts other people's programs may not take set-id rights from them (sendmail's postdrop needs its group), and
    // filters would be handed on to those programs.
    if (rights.fork_and_exec) return missing;
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) missing.push_back("no_new_privs: " + base::error_text(errno));
    for (auto& problem : {restrict_files(rights.read, rights.write), load_seccomp(rights)})
        if (!problem.empty()) missing.push_back(problem);
    return missing;
}

} // namespace sandbox
