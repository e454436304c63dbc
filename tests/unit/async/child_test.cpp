// Children: their end is noticed, whoever comes first.
#include "async/child.h"

#include "catch.h"
#include "run_task.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <vector>

namespace {

// A child that ends at once with that code, or waits to be killed.
pid_t start(int code, bool at_once = true)
{
    pid_t pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        if (!at_once) ::pause();
        ::_exit(code);
    }
    return pid;
}

async::Task<std::string> end_of(const async::Child& child, async::Source& source)
{
    co_await async::wait(source, std::chrono::seconds(20));
    co_return child.status().text();
}

bool is_gone(pid_t pid) { return ::waitpid(pid, nullptr, WNOHANG) == -1; }

} // namespace

TEST_CASE("exit status and signal are told", "[async]")
{
    for (int code : {0, 1, 75, 255}) {
        async::Child child(start(code));
        CHECK(run_task(end_of(child, child)) == "exit status " + std::to_string(code));
        CHECK(child.status().success() == (code == 0));
    }
    async::Child killed(start(0, false));
    CHECK_FALSE(killed.ready());
    killed.kill(SIGKILL);
    CHECK(run_task(end_of(killed, killed)) == "killed by signal 9");
    CHECK_FALSE(killed.status().success());
    killed.kill(SIGKILL);       // nobody there any more
}

TEST_CASE("a child that ended before we looked is noticed", "[async]")
{
    pid_t pid = start(3);
    siginfo_t info{};
    REQUIRE(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) == 0);
    async::Child child(pid);
    CHECK(child.ready());
    CHECK(child.status().code == 3);
    CHECK(is_gone(pid));
}

TEST_CASE("many children end in any order", "[async]")
{
    std::vector<std::unique_ptr<async::Child>> children;
    for (int i = 0; i < 40; ++i) children.push_back(std::make_unique<async::Child>(start(i, i % 2 == 0)));
    for (auto& child : children) child->kill(SIGKILL);
    REQUIRE(run_until([&] {
        return std::all_of(children.begin(), children.end(), [](const auto& child) { return child->ready(); });
    }));
    for (size_t i = 1; i < children.size(); i += 2) CHECK(children[i]->status().signal == SIGKILL);
}

TEST_CASE("a child that nobody watches any more is reaped all the same", "[async]")
{
    pid_t pid;
    {
        async::Child child(start(0, false));
        pid = child.pid();
    }
    CHECK(::kill(pid, 0) == 0);
    ::kill(pid, SIGKILL);
    CHECK(run_until([&] { return ::kill(pid, 0) != 0; }));
    CHECK(is_gone(pid));
}

TEST_CASE("a forked child has a loop of its own", "[async]")
{
    pid_t pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        async::new_loop_after_fork();
        bool posted = false;
        async::loop().post([&] { posted = true; });
        for (int i = 0; i < 100 && !posted; ++i) async::loop().run_once(async::Limit(20));
        pid_t grandchild = ::fork();
        if (grandchild == 0) ::_exit(9);
        async::Child child(grandchild);
        for (int i = 0; i < 500 && !child.ready(); ++i) async::loop().run_once(async::Limit(20));
        ::_exit(posted && child.ready() && child.status().code == 9 ? 0 : 1);
    }
    async::Child child(pid);
    CHECK(run_task(end_of(child, child)) == "exit status 0");
    bool posted = false;
    async::loop().post([&] { posted = true; });
    CHECK(run_until([&] { return posted; }));
}
