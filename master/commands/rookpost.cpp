// rookpost: starts, stops and looks after the mail system; what `postfix start` is to Postfix.

#include "master/commands/rookpost_pw.h"
#include "master/pid_file.h"

#include "base/log.h"
#include "base/text.h"
#include "config/config.h"
#include "config/master_cf.h"

#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>

namespace {

constexpr int stop_patience_seconds = 20;

[[noreturn]] void fail(int status, const std::string& text)
{
    base::log::fatal("{}", text);
    std::exit(status);
}

struct House {
    std::string folder;
    config::Config config;
};

[[noreturn]] void become(const std::string& program, std::vector<std::string> words)
{
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    ::execv(program.c_str(), argv.data());
    fail(EX_UNAVAILABLE, fmt::format("cannot execute {}: {}", program, base::error_text(errno)));
}

int start(House& house)
{
    if (master::running_master(house.config.queue_directory)) fail(1, "the mail system is already running");
    become(house.config.daemon_directory + "/master", {"master", "-c", house.folder});
}

int start_foreground(House& house)
{
    if (master::running_master(house.config.queue_directory)) fail(1, "the mail system is already running");
    become(house.config.daemon_directory + "/master", {"master", "-d", "-c", house.folder});
}

pid_t need_master(House& house)
{
    auto pid = master::running_master(house.config.queue_directory);
    if (!pid) fail(1, "the mail system is not running");
    return *pid;
}

void signal_master(pid_t pid, int number)
{
    if (::kill(pid, number) != 0) fail(EX_NOPERM, fmt::format("signal process {}: {}", pid, base::error_text(errno)));
}

int stop_with(House& house, int number)
{
    signal_master(need_master(house), number);
    for (int tenth = 0; tenth < stop_patience_seconds * 10; ++tenth) {
        if (!master::running_master(house.config.queue_directory)) return EX_OK;
        ::usleep(100000);
    }
    fail(1, "the mail system does not stop");
}

int stop(House& house) { return stop_with(house, SIGTERM); }
int abort_all(House& house) { return stop_with(house, SIGKILL); }

int reload(House& house)
{
    // What the running system could not read, it should not be told to read.
    config::MasterTable::load(house.folder);
    signal_master(need_master(house), SIGHUP);
    return EX_OK;
}

int status(House& house)
{
    auto pid = master::running_master(house.config.queue_directory);
    if (!pid) {
        base::log::info("the mail system is not running");
        return 1;
    }
    base::log::info("the mail system is running: PID: {}", *pid);
    return EX_OK;
}

int check(House& house)
{
    auto table = config::MasterTable::load(house.folder);
    for (const auto& text : house.config.warnings) base::log::warning("{}", text);
    for (const auto& text : table.warnings) base::log::warning("{}", text);
    return EX_OK;
}

int flush(House& house)
{
    need_master(house);
    become(house.config.command_directory + "/postqueue", {"postqueue", "-c", house.folder, "-f"});
}

struct Verb {
    std::string_view name;
    int (*run)(House&);
};
constexpr Verb verbs[] = {{"start", start}, {"start-fg", start_foreground}, {"stop", stop}, {"abort", abort_all},
                          {"reload", reload}, {"status", status}, {"check", check}, {"flush", flush}};

} // namespace

int main(int argc, char** argv)
{
    base::log::to_stderr("rookpost");
    House house{config::default_folder(), {}};
    for (int letter; (letter = ::getopt(argc, argv, "+c:v")) != -1;) {
        if (letter == 'c') house.folder = optarg;
        if (letter == '?') optind = argc;
    }
    if (optind < argc && std::string_view(argv[optind]) == "pw") return rookpost::pw(argc - optind, argv + optind);
    if (optind + 1 == argc)
        for (const Verb& verb : verbs) {
            if (verb.name != argv[optind]) continue;
            try {
                house.config = config::Config::load(house.folder);
                return verb.run(house);
            } catch (const config::Error& trouble) {
                fail(EX_CONFIG, trouble.what());
            } catch (const std::exception& trouble) {
                fail(1, trouble.what());
            }
        }
    fail(EX_USAGE, "usage: rookpost [-c config_directory] start | start-fg | stop | abort | reload | status | check | flush | pw");
}
