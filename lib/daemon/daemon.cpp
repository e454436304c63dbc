#include "daemon/daemon.h"

#include "base/log.h"
#include "base/text.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace daemons {
namespace {

constexpr int first_descriptor = 3;
// How long a connection may wait before the next process of the service takes it, and so on.
constexpr async::Limit patience{2};

struct Options {
    std::string service = "unknown", type = "inet", folder, command;
    std::vector<config::Override> overrides;
    std::vector<std::string> arguments;
    int sockets = -1, process_limit = -1;
    int rank = 0;
    bool verbose = false;
    bool shared_memory = false;
};

[[noreturn]] void refuse(const std::string& program, const std::string& why)
{
    std::fprintf(stderr, "%s: fatal: %s\n", program.c_str(), why.c_str());
    std::exit(1);
}

Options parse(const std::string& program, int argc, char** argv)
{
    Options options;
    options.command = program;
    for (int letter; (letter = ::getopt(argc, argv, "+n:t:c:o:s:p:m:r:vS")) != -1;) {
        switch (letter) {
        case 'n': options.service = optarg; break;
        case 't': options.type = optarg; break;
        case 'c': options.folder = optarg; break;
        case 'p': options.command = optarg; break;
        case 'v': options.verbose = true; break;
        case 'm': options.process_limit = base::number<int>(optarg).value_or(-1); break;
        case 'r': options.rank = base::number<int>(optarg).value_or(0); break;
        case 'S': options.shared_memory = true; break;
        case 's': options.sockets = base::number<int>(optarg).value_or(-1); break;
        case 'o': {
            auto pair = base::cut(optarg, '=');
            if (!pair.found) refuse(program, fmt::format("-o {}: expected name=value", optarg));
            options.overrides.push_back({std::string(base::trim(pair.before)), std::string(base::trim(pair.after))});
            break;
        }
        default: refuse(program, "this program is started by master; see master(8)");
        }
    }
    options.arguments.assign(argv + optind, argv + argc);
    if (options.sockets < 0) refuse(program, "this program is started by master; see master(8)");
    return options;
}

config::Config load(const std::string& program, const Options& options)
{
    try {
        return config::Config::load(options.folder, options.overrides);
    } catch (const std::exception& failure) {
        refuse(program, failure.what());
    }
}

} // namespace

Daemon::Daemon(const std::string& program, int argc, char** argv) : program_(program)
{
    Options options = parse(program, argc, argv);
    service_ = options.service;
    type_ = options.type;
    command_ = options.command;
    rank_ = options.rank;
    arguments_ = options.arguments;
    config_ = load(program, options);
    process_limit_ = options.process_limit >= 0 ? options.process_limit : static_cast<int>(config_.default_process_limit);
    base::log::open(fmt::format("{}/{}", config_.syslog_name, command_), config_.maillog_file, config_.syslog_facility);
    base::log::set_verbose(options.verbose);
    privileged_ = ::geteuid() == 0;
    for (int i = 0; i < options.sockets; ++i) {
        listening_.push_back(first_descriptor + i);
        ::fcntl(first_descriptor + i, F_SETFD, FD_CLOEXEC);
        base::set_nonblocking(first_descriptor + i);
    }
    control_ = base::Fd(first_descriptor + options.sockets);
    ::fcntl(control_.get(), F_SETFD, FD_CLOEXEC);
    base::set_nonblocking(control_.get());
    if (options.shared_memory) {
        shared_memory_ = base::Fd(control_.get() + 1);
        ::fcntl(shared_memory_.get(), F_SETFD, FD_CLOEXEC);
    }
    ::umask(077);
    if (::chdir(config_.queue_directory.c_str()) != 0)
        refuse(program, fmt::format("queue_directory {}: {}", config_.queue_directory, base::error_text(errno)));

    async::loop().after_round([] { base::log::flush(); });
    async::loop().on_signal(SIGTERM, [this] { stop(); });
    async::loop().on_signal(SIGINT, [this] { stop(); });
    async::loop().on_signal(SIGHUP, [this] { drain(); });
}

void Daemon::drop_privileges(const std::string& user, const sandbox::Rights& rights, const std::string& also_group)
{
    try {
        auto also = also_group.empty() ? std::nullopt : sandbox::find_group(also_group);
        if (privileged_ && !user.empty()) sandbox::become(sandbox::find_user(user), false, also);
        if (!config_.sandbox) return;
        for (const auto& missing : sandbox::lock(rights)) base::log::debug("sandbox: {}", missing);
    } catch (const std::exception& failure) {
        base::log::fatal("{}", failure.what());
        std::exit(1);
    }
}

std::vector<std::string> Daemon::readable() const
{
    std::vector<std::string> folders = {"/etc", "/usr", "/lib", "/lib64", "/dev", "/proc", "/run", config_.folder};
    for (const auto& [name, setting] : config_.settings) {
        std::string value = config_.find(name).value_or("");
        for (auto piece : base::split(value, " \t\r\n,{}")) {
            // "hash:/srv/mail/users", "proxy:hash:/srv/mail/users", "/srv/mail/list": the folder, so that a new file by rename is seen.
            size_t start = piece.find('/');
            if (start == std::string_view::npos || (start > 0 && piece[start - 1] != ':')) continue;
            size_t end = piece.rfind('/');
            if (end > start) folders.emplace_back(piece.substr(start, end - start));
        }
    }
    return folders;
}

namespace {

async::Task<> end_with_master(async::Watch& watch, int fd, std::function<void()> stop)
{
    while (true) {
        co_await async::wait(watch.readable());
        char byte;
        ssize_t got = ::read(fd, &byte, 1);
        if (got == 0) break;
        if (got < 0) watch.clear_readable();
    }
    stop();
}

async::Task<> watch_control(int fd, std::function<void()> stop)
{
    async::Watch watch(fd);
    co_await end_with_master(watch, fd, std::move(stop));
}

} // namespace

void Daemon::watch_master()
{
    watchers_.start(watch_control(control_.get(), [this] { stop(); }));
}

void Daemon::drain()
{
    if (draining_) return;
    draining_ = true;
    async::loop().post([this] {
        stop_listening();
        if (on_drain) on_drain();
        maybe_finished();
    });
}

void Daemon::stop_listening()
{
    listeners_.cancel();
    for (int fd : listening_) ::close(fd);
    listening_.clear();
}

void Daemon::maybe_finished()
{
    if (draining_ && nursery_.size() == 0 && !(busy && busy())) async::loop().stop();
}

namespace {

async::Task<> end_and_stop(std::function<async::Task<>()> before_stop)
{
    co_await before_stop();
    async::loop().stop();
}

} // namespace

void Daemon::stop()
{
    if (stopping_) return;
    stopping_ = true;
    if (on_stop) on_stop();
    if (before_stop)
        watchers_.start(end_and_stop(before_stop));
    else
        async::loop().stop();
}

int Daemon::run()
{
    watch_master();
    async::loop().after_round([this] {
        base::log::flush();
        maybe_finished();
    });
    async::loop().run();
    listeners_.cancel();
    nursery_.cancel();
    watchers_.cancel();
    base::log::flush();
    return 0;
}

int Daemon::serve(std::function<async::Task<>(net::Stream)> session)
{
    for (int fd : listening_) {
        auto take = [this, session](base::Fd client, net::Address peer) { nursery_.start(session(net::Stream(std::move(client), peer))); };
        listeners_.start(net::accept_connections(fd, take, {}, rank_ * patience));
    }
    return run();
}

int Daemon::serve_channels(std::function<async::Task<>(ipc::Channel)> session)
{
    for (int fd : listening_) {
        auto take = [this, session](base::Fd client, net::Address) { nursery_.start(session(ipc::Channel(std::move(client)))); };
        listeners_.start(net::accept_connections(fd, take, {}, rank_ * patience));
    }
    return run();
}

} // namespace daemons
