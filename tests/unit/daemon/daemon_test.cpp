// What every program does under master: it serves the sockets it was given, drains at SIGHUP, stops at SIGTERM or when master is gone.
#include "daemon/daemon.h"

#include "../async/run_task.h"
#include "../spool/scratch.h"
#include "catch.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace {

async::Task<> echo(net::Stream stream)
{
    try {
        while (true) {
            std::string_view line = co_await stream.line(net::no_limit, 1000);
            stream.write(std::string(line) + "\n");
            co_await stream.flush(net::no_limit);
        }
    } catch (const net::Gone&) {
    }
    co_await stream.close(net::Limit(100));
}

// The program, in a process of its own, with the descriptors that master would give it.
class Program {
public:
    explicit Program(const std::string& settings = {})
    {
        base::replace_file(scratch / "main.cf", "queue_directory = " + scratch.path() + "\nmaillog_file = " + (scratch / "log") + "\n" + settings, 0600);
        base::Fd listening = net::listen_on(where());
        int both[2];
        REQUIRE(::pipe2(both, O_CLOEXEC) == 0);
        base::Fd theirs(both[0]);
        control = base::Fd(both[1]);
        pid = ::fork();
        REQUIRE(pid >= 0);
        if (pid == 0) run(std::move(listening), std::move(theirs));
    }
    ~Program()
    {
        if (pid <= 0) return;
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
    }
    net::Address where() const { return net::Address::unix_path(scratch / "socket"); }
    base::Fd connect() const
    {
        base::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        REQUIRE(::connect(fd.get(), where().data(), where().size()) == 0);
        return fd;
    }
    // The exit status; -1 when it still runs after a while.
    int end()
    {
        int status = 0;
        bool ended = run_until([&] { return ::waitpid(pid, &status, WNOHANG) == pid; }, std::chrono::seconds(10));
        if (ended) pid = 0;
        return ended && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    bool runs() const { return ::waitpid(pid, nullptr, WNOHANG) == 0; }

    Scratch scratch;
    base::Fd control;
    pid_t pid = 0;

private:
    [[noreturn]] void run(base::Fd listening, base::Fd theirs)
    {
        control.reset();
        ::dup2(::fcntl(listening.get(), F_DUPFD, 50), 3);
        ::dup2(::fcntl(theirs.get(), F_DUPFD, 50), 4);
        async::new_loop_after_fork();
        std::string words[] = {"smtpd", "-n", "smtp", "-t", "unix", "-c", scratch.path(), "-s", "1", "-o", "myhostname=mail.example.org"};
        std::vector<char*> arguments;
        for (auto& word : words) arguments.push_back(word.data());
        int status = 9;
        try {
            daemons::Daemon daemon("smtpd", static_cast<int>(arguments.size()), arguments.data());
            status = daemon.config().myhostname == "mail.example.org" && daemon.service() == "smtp" ? daemon.serve(echo) : 8;
        } catch (...) {
        }
        ::_exit(status);
    }
};

std::string say(const base::Fd& fd, const std::string& line)
{
    base::write_all(fd.get(), line + "\n", "socket");
    std::string got;
    char part[100];
    while (got.empty() || got.back() != '\n') {
        ssize_t count = ::read(fd.get(), part, sizeof part);
        if (count <= 0) return got + "<end>";
        got.append(part, static_cast<size_t>(count));
    }
    return got;
}

} // namespace

TEST_CASE("a daemon serves, and stops when it is told to", "[daemon]")
{
    Program program;
    base::Fd client = program.connect();
    CHECK(say(client, "hello") == "hello\n");
    ::kill(program.pid, SIGTERM);
    CHECK(program.end() == 0);
    char byte;
    CHECK(::read(client.get(), &byte, 1) == 0);
}

TEST_CASE("a daemon drains: its sessions go on, and with the last it ends", "[daemon]")
{
    Program program;
    base::Fd client = program.connect();
    CHECK(say(client, "hello") == "hello\n");
    ::kill(program.pid, SIGHUP);
    CHECK(say(client, "still here") == "still here\n");
    CHECK(program.runs());
    client.reset();
    CHECK(program.end() == 0);
}

TEST_CASE("a daemon ends with its master", "[daemon]")
{
    Program program;
    base::Fd client = program.connect();
    CHECK(say(client, "hello") == "hello\n");
    program.control.reset();
    CHECK(program.end() == 0);
}
