#include "command.h"

#include "async/child.h"
#include "async/nursery.h"
#include "async/watch.h"
#include "base/text.h"
#include "config/config.h"
#include "command_text.h"
#include "content.h"
#include "exit_status.h"

#include <fcntl.h>
#include <sysexits.h>
#include <unistd.h>

#include <csignal>
#include <optional>

namespace local_delivery {
namespace {

constexpr size_t longest_output = 4096;
// After the end of the command, for what is left of its output: what it started in the background may hold the pipe open.
constexpr async::Limit last_output{1000};

struct Pipe {
    base::Fd read, write;
};

Pipe make_pipe()
{
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw base::SystemError("pipe");
    return {base::Fd(ends[0]), base::Fd(ends[1])};
}

std::vector<char*> pointers(std::vector<std::string>& words)
{
    std::vector<char*> list;
    for (auto& word : words) list.push_back(word.data());
    list.push_back(nullptr);
    return list;
}

// Says why in the command's own output, as a shell would. Only what is allowed between fork and exec in a process with threads.
[[noreturn]] void fail(const char* says, const char* what, int error, int status)
{
    auto say = [](const char* text) { [[maybe_unused]] ssize_t put = ::write(STDERR_FILENO, text, std::char_traits<char>::length(text)); };
    const char* why = ::strerrordesc_np(error);
    for (const char* text : {says, " ", what, ": ", why ? why : "error", "\n"}) say(text);
    ::_exit(status);
}

struct Program {
    const char* cannot_start;
    const char* folder;
    char** words;
    char** environment;
    char** shell_words;         // where there is no such program: it may be a shell's own, and if not the shell says so; null: no shell
};

[[noreturn]] void become_command(int input, int output, const Program& program)
{
    ::setsid();
    for (int number : {SIGPIPE, SIGHUP, SIGINT, SIGTERM, SIGCHLD}) ::signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    if (::dup2(input, STDIN_FILENO) < 0 || ::dup2(output, STDOUT_FILENO) < 0 || ::dup2(output, STDERR_FILENO) < 0) ::_exit(EX_OSERR);
    ::close_range(STDERR_FILENO + 1, ~0U, 0);
    if (*program.folder && ::chdir(program.folder) != 0) fail("cannot change directory to", program.folder, errno, EX_TEMPFAIL);
    ::execvpe(program.words[0], program.words, program.environment);
    if (errno == ENOENT && program.shell_words) ::execve(program.shell_words[0], program.shell_words, program.environment);
    fail(program.cannot_start, program.words[0], errno, EX_TEMPFAIL);
}

// Owns the started command: whatever of it still runs is killed when this goes.
class Running {
public:
    explicit Running(pid_t pid) : child(pid) {}
    ~Running() { kill(); }
    void kill()
    {
        if (!child.ready()) ::kill(-child.pid(), SIGKILL);
    }
    async::Child child;
};

async::Task<> write_all(int fd, const Order& order)
{
    base::set_nonblocking(fd);
    async::Watch watch(fd);
    CommandReader text(order);
    for (auto piece = text.next(); !piece.empty(); piece = text.next()) {
        ssize_t put = ::write(fd, piece.data(), piece.size());
        if (put > 0) {
            text.consume(static_cast<size_t>(put));
        } else if (errno == EAGAIN) {
            watch.clear_writable();
            co_await async::wait(watch.writable());
        } else if (errno != EINTR) {
            break;      // it does not want to read all of it; its exit status tells
        }
    }
}

// A command must not take half a message for a whole one: when the queue file can't be read it is killed before its input ends.
async::Task<> feed(base::Fd fd, const Order& order, Running& command, std::string& trouble)
{
    try {
        co_await write_all(fd.get(), order);
    } catch (const base::SystemError& failure) {
        trouble = failure.what();
        command.kill();
    }
}

async::Task<> collect(base::Fd fd, std::string& output)
{
    base::set_nonblocking(fd.get());
    async::Watch watch(fd.get());
    char space[4096];
    while (true) {
        ssize_t got = ::read(fd.get(), space, sizeof space);
        if (got > 0) {
            output.append(space, std::min(static_cast<size_t>(got), longest_output - output.size()));
        } else if (got < 0 && errno == EAGAIN) {
            watch.clear_readable();
            co_await async::wait(watch.readable());
        } else if (got == 0 || errno != EINTR) {
            break;
        }
    }
}

pid_t start(const Order& order, const config::Config& config, int input, int output)
{
    auto words = order.words.empty() ? command_words(order.path, config.local_command_shell) : order.words;
    std::string cannot_start = order.program.empty() ? "local: fatal: execvp" : order.program + ": execvp";
    auto environment = order.environment;
    std::vector<std::string> shell{"/bin/sh", "-c", order.path};
    auto shell_list = pointers(shell);
    auto word_list = pointers(words), environment_list = pointers(environment);
    pid_t pid = ::fork();
    if (pid < 0) throw base::SystemError("start " + order.path);
    if (pid == 0) {
        Program program{cannot_start.c_str(), order.folder.c_str(), word_list.data(), environment_list.data(), order.words.empty() ? shell_list.data() : nullptr};
        become_command(input, output, program);
    }
    return pid;
}

} // namespace

std::vector<std::string> command_words(const std::string& command, const std::string& local_command_shell)
{
    constexpr std::string_view plain = "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ \t";
    std::vector<std::string> words;
    auto add = [&](std::string_view text) {
        for (auto word : base::split(text, " \t")) words.emplace_back(word);
    };
    if (!local_command_shell.empty()) {
        add(local_command_shell);
        words.push_back(command);
        return words;
    }
    // Without anything that a shell would understand there is no need for one; but its own commands ("exit 75") have no '/'.
    if (command.find_first_not_of(plain) == command.npos && base::trim(command).starts_with('/')) {
        add(command);
        return words;
    }
    return {"/bin/sh", "-c", command};
}

async::Task<Ended> run_program(const Order& order, const config::Config& config)
{
    Ended ended;
    Pipe input = make_pipe(), output = make_pipe();
    std::string said, trouble;
    Running command(start(order, config, input.read.get(), output.write.get()));
    input.read.reset();
    output.write.reset();
    async::Nursery talks("command");
    talks.start(feed(std::move(input.write), order, command, trouble));
    talks.start(collect(std::move(output.read), said));
    async::Limit limit = order.time_limit > 0 ? async::Limit(order.time_limit) : config.command_time_limit;
    ended.in_time = co_await async::wait(command.child, limit);
    if (ended.in_time) {
        co_await async::wait(talks.empty(), last_output);
    } else {
        command.kill();
        co_await async::wait(command.child);
    }
    if (ended.in_time && !trouble.empty()) ended.trouble = deferred("4.3.0", trouble);
    ended.status = command.child.status();
    ended.output = one_line(said);
    co_return ended;
}

async::Task<Report> run_command(const Order& order, const config::Config& config)
{
    Content content(order.content.get(), order.content_offset, order.content_length, order.queue_id);
    if (!order.loop_address.empty() && was_delivered_to(content.beginning(), order.loop_address))
        co_return bounced("5.4.6", "mail forwarding loop for " + order.loop_address);
    Ended ended = co_await run_program(order, config);
    if (ended.trouble) co_return *ended.trouble;
    if (!ended.in_time) co_return judge_timeout(order.path, ended.output);
    std::string success = order.success.empty() ? "delivered to command: " + order.path : order.success;
    co_return judge(ended.status, order.path, success, ended.output);
}

} // namespace local_delivery
