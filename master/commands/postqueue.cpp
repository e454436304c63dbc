// postqueue: lists the queue, and asks that mail be tried now.

#include "postqueue_print.h"
#include "queue_client.h"
#include "queue_reader.h"

#include "base/log.h"
#include "config/config.h"
#include "spool/queue_id.h"

#include <sysexits.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace {

[[noreturn]] void fail(int status, const std::string& text)
{
    base::log::fatal("{}", text);
    std::exit(status);
}

// Printed as it comes, so that a queue of any length costs no memory.
int list(const config::Config& config, bool json)
{
    size_t count = 0;
    uint64_t bytes = 0;
    try {
        commands::read_queue(config, [&](const spool::ListedMessage& message) {
            if (!json && count == 0) std::fputs(commands::listing_heading().c_str(), stdout);
            ++count;
            bytes += message.size;
            std::string text = json ? commands::json_line(message) : commands::listing_entry(message);
            std::fputs(text.c_str(), stdout);
        });
    } catch (const base::SystemError& failure) {
        fail(EX_UNAVAILABLE, failure.what());
    }
    if (!json) std::fputs(commands::listing_end(count, bytes).c_str(), stdout);
    return EX_OK;
}

int order(const config::Config& config, const std::vector<std::string>& words)
{
    auto answer = commands::ask_queue_manager(config, words, [](std::string_view) {});
    if (!answer.reached) fail(EX_TEMPFAIL, "Mail system is down");
    if (answer.failed) fail(EX_UNAVAILABLE, answer.last_line);
    if (answer.last_line == "not found") fail(EX_DATAERR, words[1] + ": no such message in the queue");
    return EX_OK;
}

} // namespace

int main(int argc, char** argv)
{
    base::log::to_stderr("postqueue");
    std::string folder = config::default_folder();
    std::vector<std::string> words;
    bool json = false;
    for (int letter; (letter = ::getopt(argc, argv, "c:fi:jps:v")) != -1;) {
        switch (letter) {
        case 'c': folder = optarg; break;
        case 'f': words = {"flush"}; break;
        case 'i': words = {"flush-id", optarg}; break;
        case 's': words = {"flush-site", optarg}; break;
        case 'j': json = true; [[fallthrough]];
        case 'p': words = {"list"}; break;
        case 'v': break;
        default: words.clear(); optind = argc + 1;
        }
    }
    if (words.empty() || optind < argc) fail(EX_USAGE, "usage: postqueue [-c config_directory] -p | -j | -f | -i queue_id | -s site");
    if (words[0] == "flush-id" && !spool::is_queue_id(words[1])) fail(EX_USAGE, "Cannot flush: invalid queue ID: " + words[1]);
    try {
        config::Config config = config::Config::load(folder);
        return words[0] == "list" ? list(config, json) : order(config, words);
    } catch (const config::Error& trouble) {
        fail(EX_CONFIG, trouble.what());
    }
}
