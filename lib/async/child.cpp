#include "async/child.h"

#include <fmt/format.h>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <unordered_map>

namespace async {

std::string ExitStatus::text() const
{
    return signal ? fmt::format("killed by signal {}", signal) : fmt::format("exit status {}", code);
}

class Reaper {
public:
    Reaper() : owner_(::getpid())
    {
        loop().on_signal(SIGCHLD, [this] { reap(); });
    }

    static Reaper& instance()
    {
        static Reaper* reaper = nullptr;
        if (!reaper || reaper->owner_ != ::getpid()) reaper = new Reaper;    // a forked child knows none of its parent's children
        return *reaper;
    }

    void add(Child& child)
    {
        children_[child.pid_] = &child;
        try_one(child.pid_);    // it may have ended before we looked
    }
    void forget(Child& child) { children_[child.pid_] = nullptr; }

private:
    void reap()
    {
        std::vector<pid_t> pids;
        for (auto& [pid, child] : children_) pids.push_back(pid);
        for (pid_t pid : pids) try_one(pid);
    }

    void try_one(pid_t pid)
    {
        int status = 0;
        if (::waitpid(pid, &status, WNOHANG) != pid) return;
        Child* child = children_[pid];
        children_.erase(pid);
        if (!child) return;
        child->ended_ = true;
        if (WIFSIGNALED(status))
            child->status_.signal = WTERMSIG(status);
        else
            child->status_.code = WEXITSTATUS(status);
        child->wake();
    }

    pid_t owner_;
    std::unordered_map<pid_t, Child*> children_;
};

Child::Child(pid_t pid) : pid_(pid) { Reaper::instance().add(*this); }

Child::~Child()
{
    if (!ended_) Reaper::instance().forget(*this);
}

void Child::kill(int signal) const
{
    if (!ended_) ::kill(pid_, signal);
}

} // namespace async
