// master: runs the house. Reads main.cf and master.cf, opens the listening sockets, starts the programs when they are needed and again
// when they end.
//
//   started by  rookpost start, or the init system
//   trusts      its configuration; it reads nothing that comes from the network
//   signals     SIGTERM stop · SIGHUP reload
//   read next   household.cpp, service.cpp

#include "certificates.h"
#include "household.h"
#include "pid_file.h"

#include "base/log.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace {

struct Options {
    std::string folder = config::default_folder();
    bool foreground = false;
};

Options parse(int argc, char** argv)
{
    Options options;
    for (int letter; (letter = ::getopt(argc, argv, "c:d")) != -1;) {
        if (letter == 'c') options.folder = optarg;
        else if (letter == 'd') options.foreground = true;
        else {
            std::fprintf(stderr, "usage: master [-c config_directory] [-d]\n");
            std::exit(1);
        }
    }
    return options;
}

// Sessions are descriptors: as many as the system lets us have.
void raise_descriptor_limit()
{
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    if (::geteuid() == 0 && limit.rlim_max < 65536) limit.rlim_max = 65536;
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 1 << 20);
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

// The parent returns to who started us when the child has said that it runs; otherwise with the child's words on standard error.
base::Fd go_to_background()
{
    int both[2];
    if (::pipe2(both, O_CLOEXEC) != 0) throw base::SystemError("pipe");
    pid_t pid = ::fork();
    if (pid < 0) throw base::SystemError("fork");
    if (pid > 0) {
        ::close(both[1]);
        char byte = 0;
        ssize_t got = ::read(both[0], &byte, 1);
        ::_exit(got == 1 ? 0 : 1);
    }
    ::close(both[0]);
    ::setsid();
    return base::Fd(both[1]);
}

// Whoever reads what the starter prints must not wait for our children to end as well. Returns the way to the starter's terminal.
base::Fd leave_terminal()
{
    base::Fd terminal(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
    base::Fd null = base::open_file("/dev/null", O_RDWR);
    for (int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(null.get(), fd);
    return terminal;
}

void start_household(master::Household& household, master::Plan plan, base::Fd terminal)
{
    try {
        household.start(std::move(plan));
    } catch (const std::exception& failure) {
        if (terminal) ::dprintf(terminal.get(), "master: fatal: %s\n", failure.what());
        throw;
    }
}

void warn(const master::Plan& plan)
{
    for (const auto& text : plan.warnings) base::log::warning("{}", text);
}

void open_log(const config::Config& config)
{
    base::log::open(config.syslog_name + "/master", config.maillog_file, config.syslog_facility);
}

async::Task<> end(master::Household& household)
{
    co_await household.stop();
    async::loop().stop();
}

void reload(master::Household& household, const std::string& folder)
{
    try {
        master::Plan plan = master::read_plan(folder);
        open_log(*plan.config);
        base::log::info("reload -- version {}, configuration {}", ROOKPOST_VERSION, folder);
        warn(plan);
        household.reload(std::move(plan));
    } catch (const std::exception& failure) {
        base::log::error("reload: {}; going on with the old configuration", failure.what());
    }
}

int run(const Options& options)
{
    base::log::to_stderr("master");
    master::Plan plan = master::read_plan(options.folder);
    ::umask(022);
    master::prepare_folders(*plan.config);
    base::Fd ready = options.foreground ? base::Fd() : go_to_background();
    auto lock = master::take_lock(plan.config->queue_directory);
    if (!lock) {
        base::log::fatal("the mail system is already running");
        return 1;
    }
    raise_descriptor_limit();
    if (::geteuid() != 0) std::fprintf(stderr, "master: not started as root: everything runs as uid %u\n", ::geteuid());
    open_log(*plan.config);
    if (::geteuid() != 0) base::log::warning("not started as root: everything runs as uid {}", ::geteuid());
    warn(plan);

    master::Household household;
    async::Nursery ending("stop");
    start_household(household, std::move(plan), ready ? leave_terminal() : base::Fd());
    async::loop().after_round([] { base::log::flush(); });
    async::loop().on_signal(SIGHUP, [&] { reload(household, options.folder); });
    for (int number : {SIGTERM, SIGINT})
        async::loop().on_signal(number, [&, number] {
            base::log::info("terminating on signal {}", number);
            if (ending.size() == 0) ending.start(end(household));
        });
    async::Nursery watching("certificates");
    watching.start(master::watch_certificates(household, options.folder));
    base::log::info("daemon started -- version {}, configuration {}", ROOKPOST_VERSION, options.folder);
    base::log::flush();
    if (ready) base::write_all(ready.get(), "y", "ready pipe");
    ready.reset();
    async::loop().run();
    base::log::flush();
    return 0;
}

} // namespace

int main(int argc, char** argv)
{
    Options options = parse(argc, argv);
    try {
        if (char* absolute = ::realpath(options.folder.c_str(), nullptr)) {
            options.folder = absolute;
            std::free(absolute);
        }
        return run(options);
    } catch (const std::exception& failure) {
        base::log::fatal("{}", failure.what());
        base::log::flush();
        return 1;
    }
}
