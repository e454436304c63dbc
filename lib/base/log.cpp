#include "base/log.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <mutex>

namespace base::log {
namespace {

enum class Sink { standard_error, file, syslog };

struct State {
    Sink sink = Sink::standard_error;
    std::string tag = "rookpost";
    std::string host;
    int facility = LOG_MAIL;
    Fd fd;
    std::string pending;
    bool verbose = false;
    std::mutex mutex;
};

State& state()
{
    static State s;
    return s;
}

constexpr const char* prefixes[] = {"", "", "warning: ", "error: ", "fatal: ", "panic: "};
constexpr int priorities[] = {LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERR, LOG_CRIT, LOG_CRIT};
constexpr size_t flush_above = 32 << 10;

int facility_number(const std::string& word)
{
    static constexpr std::pair<std::string_view, int> words[] = {
        {"mail", LOG_MAIL},     {"daemon", LOG_DAEMON}, {"user", LOG_USER},     {"auth", LOG_AUTH},
        {"syslog", LOG_SYSLOG}, {"news", LOG_NEWS},     {"uucp", LOG_UUCP},     {"cron", LOG_CRON},
        {"local0", LOG_LOCAL0}, {"local1", LOG_LOCAL1}, {"local2", LOG_LOCAL2}, {"local3", LOG_LOCAL3},
        {"local4", LOG_LOCAL4}, {"local5", LOG_LOCAL5}, {"local6", LOG_LOCAL6}, {"local7", LOG_LOCAL7}};
    for (auto [name, number] : words)
        if (same_word(name, word)) return number;
    return LOG_MAIL;
}

Fd connect_syslog()
{
    Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, "/dev/log");
    if (!fd || ::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return Fd();
    return fd;
}

std::string host_name()
{
    char name[256] = "localhost";
    ::gethostname(name, sizeof name - 1);
    return std::string(cut(name, '.').before);
}

void write_pending(State& s)
{
    if (s.pending.empty()) return;
    int fd = s.sink == Sink::standard_error || !s.fd ? STDERR_FILENO : s.fd.get();
    std::string_view left = s.pending;
    while (!left.empty()) {
        ssize_t put = ::write(fd, left.data(), left.size());
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) break;    // a full disk must not stop the mail; the lines are lost
        left.remove_prefix(static_cast<size_t>(put));
    }
    s.pending.clear();
}

// Asked of the kernel once a process, and again after a fork.
pid_t own_pid()
{
    static pid_t pid = 0;
    if (pid == 0) {
        static const int watching = ::pthread_atfork(nullptr, nullptr, [] { pid = 0; });
        (void)watching;
        pid = ::getpid();
    }
    return pid;
}

void send_syslog(State& s, const std::string& tag, Level level, std::string_view text)
{
    std::string datagram = fmt::format("<{}>{} {}[{}]: {}{}", s.facility | priorities[static_cast<int>(level)], log_date(wall_now()),
                                       tag, own_pid(), prefixes[static_cast<int>(level)], text);
    if (s.fd && ::send(s.fd.get(), datagram.data(), datagram.size(), MSG_NOSIGNAL) >= 0) return;
    s.fd = connect_syslog();    // the logger was restarted
    if (s.fd) ::send(s.fd.get(), datagram.data(), datagram.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

const std::string& cached_date()
{
    static std::time_t second = 0;
    static std::string text;
    auto now = wall_now();
    if (auto current = std::chrono::system_clock::to_time_t(now); current != second) {
        second = current;
        text = log_date(now);
    }
    return text;
}

} // namespace

void open(const std::string& tag, const std::string& file, const std::string& facility)
{
    State& s = state();
    std::lock_guard lock(s.mutex);
    write_pending(s);
    s.tag = tag;
    s.host = host_name();
    s.facility = facility_number(facility);
    if (file.empty()) {
        s.sink = Sink::syslog;
        s.fd = connect_syslog();
    } else if (file == "/dev/stdout" || file == "/dev/stderr") {
        s.sink = Sink::file;
        s.fd = Fd(::fcntl(file == "/dev/stdout" ? STDOUT_FILENO : STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
    } else {
        s.sink = Sink::file;
        s.fd = open_file(file, O_WRONLY | O_APPEND | O_CREAT, 0644);
    }
}

void to_stderr(const std::string& name)
{
    State& s = state();
    s.sink = Sink::standard_error;
    s.tag = name;
}

void set_verbose(bool on) { state().verbose = on; }
bool verbose() { return state().verbose; }
int descriptor() { return state().fd.get(); }

namespace {

void add_line(State& s, const std::string& tag, Level level, std::string_view text)
{
    std::string safe = printable(text, 2000);
    const char* prefix = prefixes[static_cast<int>(level)];
    if (s.sink == Sink::syslog) {
        send_syslog(s, tag, level, safe);
        return;
    }
    if (s.sink == Sink::standard_error)
        s.pending += fmt::format("{}: {}{}\n", tag, prefix, safe);
    else
        s.pending += fmt::format("{} {} {}[{}]: {}{}\n", cached_date(), s.host, tag, own_pid(), prefix, safe);
    if (s.sink == Sink::standard_error || level >= Level::warning || s.pending.size() > flush_above) write_pending(s);
}

} // namespace

void line(Level level, std::string_view text)
{
    State& s = state();
    std::lock_guard lock(s.mutex);
    add_line(s, s.tag, level, text);
}

void info_as(std::string_view program, std::string_view text)
{
    State& s = state();
    std::lock_guard lock(s.mutex);
    std::string tag(cut_last(s.tag, '/').before);
    add_line(s, tag + "/" + std::string(program), Level::info, text);
}

void flush()
{
    State& s = state();
    std::lock_guard lock(s.mutex);
    write_pending(s);
}

} // namespace base::log
