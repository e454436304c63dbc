#include "sendmail_submit.h"

#include "base/error.h"
#include "base/fd.h"
#include "net/address.h"
#include "smtp/reply.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

namespace sendmail {
namespace {

base::Fd connect_to(const std::string& path)
{
    net::Address where = net::Address::unix_path(path);
    base::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!fd) throw base::SystemError("socket");
    timeval patience{300, 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (::connect(fd.get(), where.data(), where.size()) != 0) throw base::SystemError("connect to " + path);
    return fd;
}

// The reply that matters: the first refusal, or the one to the content. Nothing when the connection broke before.
std::optional<smtp::Reply> read_verdict(int fd)
{
    smtp::ReplyReader reader;
    std::optional<smtp::Reply> refusal, last;
    char buffer[16384];
    while (true) {
        ssize_t got = ::read(fd, buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return std::nullopt;
        std::string_view left(buffer, static_cast<size_t>(got));
        while (!left.empty()) {
            left.remove_prefix(reader.feed(left));
            if (!reader.complete()) continue;
            smtp::Reply reply = reader.take();
            if (reply.code == 221 || reply.code == 421) return refusal ? refusal : reply.code == 421 ? std::optional(reply) : last;
            if (reply.code >= 400 && !refusal) refusal = reply;
            last = std::move(reply);
        }
    }
}

int exit_status_of(const smtp::Reply& reply)
{
    if (reply.code == 552) return EX_UNAVAILABLE;
    if (reply.code >= 501 && reply.code <= 555 && reply.code != 554) return EX_DATAERR;
    return EX_UNAVAILABLE;
}

Submission drop(const std::string& dialogue, const std::string& postdrop, const std::string& folder, const std::string& why)
{
    int both[2];
    if (::pipe2(both, O_CLOEXEC) != 0) return {EX_OSERR, "pipe: " + base::error_text(errno)};
    pid_t pid = ::fork();
    if (pid < 0) return {EX_OSERR, "fork: " + base::error_text(errno)};
    if (pid == 0) {
        ::dup2(both[0], STDIN_FILENO);
        ::execl(postdrop.c_str(), "postdrop", "-c", folder.c_str(), static_cast<char*>(nullptr));
        ::_exit(EX_TEMPFAIL);
    }
    ::close(both[0]);
    std::signal(SIGPIPE, SIG_IGN);
    bool written = true;
    try {
        base::write_all(both[1], dialogue, "postdrop");
    } catch (const base::SystemError&) {
        written = false;
    }
    ::close(both[1]);
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    if (!WIFEXITED(status)) return {EX_TEMPFAIL, "postdrop was killed; message not accepted"};
    if (WEXITSTATUS(status) != 0) return {WEXITSTATUS(status), ""};
    if (!written) return {EX_TEMPFAIL, "postdrop did not take the whole message"};
    return {EX_OK, fmt::format("warning: {}; the message waits in maildrop", why)};
}

} // namespace

Submission submit(const std::string& dialogue, const std::string& socket, const std::string& postdrop, const std::string& folder)
{
    std::string why = "the mail system is down";
    try {
        base::Fd fd = connect_to(socket);
        std::signal(SIGPIPE, SIG_IGN);
        try {
            base::write_all(fd.get(), dialogue, socket);
        } catch (const base::SystemError&) {
            // A refusal may have come before all was sent: the replies tell.
        }
        auto verdict = read_verdict(fd.get());
        if (verdict && verdict->ok()) return {};
        if (verdict && verdict->permanent()) return {exit_status_of(*verdict), verdict->line()};
        if (verdict && verdict->code == 452) return {EX_TEMPFAIL, verdict->line()};
        why = verdict ? verdict->line() : "the mail system broke off";
    } catch (const base::SystemError&) {
    } catch (const smtp::BadReply& nonsense) {
        why = nonsense.what();
    }
    return drop(dialogue, postdrop, folder, why);
}

int converse(const std::string& socket)
{
    base::Fd fd;
    try {
        fd = connect_to(socket);
    } catch (const base::SystemError& failure) {
        std::fprintf(stdout, "421 4.3.0 Mail system is down\r\n");
        return EX_TEMPFAIL;
    }
    pollfd both[2] = {{STDIN_FILENO, POLLIN, 0}, {fd.get(), POLLIN, 0}};
    char buffer[65536];
    while (true) {
        if (::poll(both, 2, -1) < 0 && errno != EINTR) return EX_OSERR;
        for (auto& side : both) {
            if (!(side.revents & (POLLIN | POLLHUP | POLLERR))) continue;
            ssize_t got = ::read(side.fd, buffer, sizeof buffer);
            if (got < 0 && errno == EINTR) continue;
            bool from_client = side.fd == STDIN_FILENO;
            if (got <= 0 && !from_client) return EX_OK;
            if (got <= 0) {
                ::shutdown(fd.get(), SHUT_WR);
                side.fd = -1;
                continue;
            }
            base::write_all(from_client ? fd.get() : STDOUT_FILENO, {buffer, static_cast<size_t>(got)}, "client");
        }
    }
}

} // namespace sendmail
