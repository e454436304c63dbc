// qshape: which domains the queue waits for, and how long already; as Postfix's qshape(1) prints it.

#include "qshape_table.h"
#include "queue_reader.h"

#include "base/log.h"
#include "base/text.h"

#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace {

[[noreturn]] void fail(int status, const std::string& text)
{
    base::log::fatal("{}", text);
    std::exit(status);
}

int positive(const char* text, char letter)
{
    auto value = base::number<int>(text);
    if (!value || *value < 1 || *value > 100000) fail(EX_USAGE, fmt::format("-{}: a number is expected: {}", letter, text));
    return *value;
}

} // namespace

int main(int argc, char** argv)
{
    base::log::to_stderr("qshape");
    std::string folder = config::default_folder();
    qshape::Shape shape;
    for (int letter; (letter = ::getopt(argc, argv, "b:c:lm:n:N:pst:vw:")) != -1;) {
        switch (letter) {
        case 'b': shape.buckets = std::min(positive(optarg, 'b'), 60); break;
        case 'c': folder = optarg; break;
        case 'l': shape.linear = true; break;
        case 'm': shape.least_subdomains = positive(optarg, 'm'); break;
        case 'p': shape.parents = true; break;
        case 's': shape.by_sender = true; break;
        case 't': shape.bucket_minutes = positive(optarg, 't'); break;
        case 'w': shape.width = positive(optarg, 'w'); break;
        case 'n': case 'N': case 'v': break;        // progress reports: there is nothing to wait for
        default: fail(EX_USAGE, "usage: qshape [-s] [-p] [-m min_subdomains] [-l] [-b bucket_count] [-t bucket_time] [-w terminal_width] "
                                "[-c config_directory] [queue_name …]");
        }
    }
    std::vector<std::string> queues(argv + optind, argv + argc);
    if (queues.empty()) queues = {"incoming", "active"};
    for (const auto& name : queues)
        if (!spool::find_queue(name) && name != "maildrop") fail(EX_USAGE, "unknown queue name: " + name);
    try {
        config::Config config = config::Config::load(folder);
        qshape::Table table(shape, ::time(nullptr));
        commands::read_queue(config, [&](const spool::ListedMessage& message) {
            if (std::find(queues.begin(), queues.end(), spool::queue_name(message.queue)) != queues.end()) table.add(message);
        });
        std::fputs(table.text().c_str(), stdout);
        return EX_OK;
    } catch (const config::Error& trouble) {
        fail(EX_CONFIG, trouble.what());
    } catch (const std::exception& trouble) {
        fail(EX_UNAVAILABLE, trouble.what());
    }
}
