// rookpost: starts, stops and looks after the mail system; what `postfix start` is to Postfix.

#include "master/commands/explain.h"
#include "master/commands/rookpost_pw.h"
#include "master/commands/rookpost_trace.h"
#include "master/pid_file.h"

#include "base/log.h"
#include "base/text.h"
#include "config/config.h"
#include "config/master_cf.h"
#include "mail/address.h"
#include "spool/folders.h"

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
    std::vector<std::string> words;     // behind the verb
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

std::string count_text(size_t count, std::string_view queue) { return fmt::format("{} {}", count, queue); }

// How much waits, for those who may look.
void tell_queue(const config::Config& config)
{
    try {
        spool::Folders folders(config.queue_directory);
        size_t deferred = 0;
        for (int64_t when : folders.due_times()) deferred += folders.list({spool::Queue::deferred, when}).size();
        std::vector<std::string> counts = {count_text(deferred, "deferred")};
        for (auto queue : {spool::Queue::active, spool::Queue::incoming, spool::Queue::hold, spool::Queue::corrupt})
            if (size_t count = folders.list({queue}).size()) counts.push_back(count_text(count, spool::queue_name(queue)));
        std::printf("messages in the queue: %s\n", base::join(counts, ", ").c_str());
    } catch (const base::SystemError&) {
        // The queue is its owner's and root's.
    }
}

int status(House& house)
{
    auto pid = master::running_master(house.config.queue_directory);
    if (!pid) {
        base::log::info("the mail system is not running");
        return 1;
    }
    base::log::info("the mail system is running: PID: {}", *pid);
    tell_queue(house.config);
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

int trace(House& house) { return rookpost::trace(house.config, house.words); }

int explain(House& house)
{
    auto addresses = mail::mailboxes(house.words[0]);
    auto senders = house.words.size() > 1 ? mail::mailboxes(house.words[1]) : std::vector<std::string>{""};
    if (addresses.empty()) fail(EX_DATAERR, "no address: " + house.words[0]);
    commands::Explainer explainer(house.config);
    bool all_known = true;
    for (const auto& address : addresses) {
        auto told = explainer.explain(address, senders.empty() ? "" : senders[0]);
        std::fputs(told.text.c_str(), stdout);
        for (const auto& end : told.ends) all_known = all_known && end.known;
    }
    return all_known ? EX_OK : EX_NOUSER;
}

struct Verb {
    std::string_view name;
    int (*run)(House&);
    int least_words = 0, most_words = 0;
};
constexpr Verb verbs[] = {{"start", start},   {"start-fg", start_foreground}, {"stop", stop},   {"abort", abort_all},
                          {"reload", reload}, {"status", status},             {"check", check}, {"flush", flush},
                          {"trace", trace, 1, 1000}, {"explain", explain, 1, 2}};

} // namespace

int main(int argc, char** argv)
{
    base::log::to_stderr("rookpost");
    House house{config::default_folder(), {}, {}};
    for (int letter; (letter = ::getopt(argc, argv, "+c:v")) != -1;) {
        if (letter == 'c') house.folder = optarg;
        if (letter == '?') optind = argc;
    }
    if (optind < argc && std::string_view(argv[optind]) == "pw") return rookpost::pw(argc - optind, argv + optind);
    int words = argc - optind - 1;
    if (words >= 0)
        for (const Verb& verb : verbs) {
            if (verb.name != argv[optind] || words < verb.least_words || words > verb.most_words) continue;
            house.words.assign(argv + optind + 1, argv + argc);
            try {
                house.config = config::Config::load(house.folder);
                return verb.run(house);
            } catch (const config::Error& trouble) {
                fail(EX_CONFIG, trouble.what());
            } catch (const std::exception& trouble) {
                fail(1, trouble.what());
            }
        }
    fail(EX_USAGE, "usage: rookpost [-c config_directory] start | start-fg | stop | abort | reload | status | check | flush |\n"
                   "       trace queue_id … | explain address [sender] | pw");
}
