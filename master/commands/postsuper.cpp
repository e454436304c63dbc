// postsuper: the superintendent's hand in the queue: delete, hold, release, requeue. Through the queue manager while it runs, on the files
// themselves while it does not.

#include "queue_client.h"

#include "base/log.h"
#include "base/text.h"
#include "config/config.h"
#include "spool/folders.h"
#include "spool/queue_id.h"

#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <iostream>

namespace {

struct Operation {
    char letter;
    const char* word;               // for the queue manager
    const char* done;               // "Deleted: 3 messages"
    std::optional<spool::Queue> into;   // where the files go when we do it ourselves; nothing: removed
};
constexpr Operation operations[] = {
    {'d', "delete", "Deleted", std::nullopt},
    {'h', "hold", "Placed on hold", spool::Queue::hold},
    {'H', "release", "Released from hold", spool::Queue::deferred},
    {'r', "requeue", "Requeued", spool::Queue::deferred},
    {'e', "expire", "Expired", spool::Queue::deferred},
    {'f', "expire", "Expired", spool::Queue::deferred},     // Postfix's -e leaves mail on hold alone until it is released; ours does not
};

struct Order {
    const Operation* operation;
    std::string what;               // an id, "ALL", or "-"
};

[[noreturn]] void fail(int status, const std::string& text)
{
    base::log::fatal("{}", text);
    std::exit(status);
}

std::vector<std::string> ids_of(const std::string& what)
{
    if (what != "-") return {what};
    std::vector<std::string> ids;
    for (std::string line; std::getline(std::cin, line);)
        if (auto id = base::trim(line); !id.empty()) ids.emplace_back(id);
    return ids;
}

bool act_on_file(const spool::Folders& folders, const Operation& operation, const std::string& id)
{
    auto place = folders.find(id);
    if (!place) return false;
    if (operation.letter == 'H' && place->queue != spool::Queue::hold) return false;
    if (!operation.into) return folders.remove(*place, id);
    spool::Place target{*operation.into, operation.into == spool::Queue::deferred ? static_cast<int64_t>(::time(nullptr)) : 0};
    if (*place == target) return false;
    folders.move(*place, target, id);
    return true;
}

size_t act_on_files(const config::Config& config, const Operation& operation, std::vector<std::string> ids,
                    const std::vector<std::string>& queues)
{
    if (std::string_view(operation.word) == "expire") fail(EX_UNAVAILABLE, "expiring needs the running mail system");
    spool::Folders folders(config.queue_directory);
    if (ids.size() == 1 && ids[0] == "ALL") {
        ids.clear();
        std::vector<spool::Place> places = {{spool::Queue::active}, {spool::Queue::incoming}, {spool::Queue::hold}};
        for (int64_t when : folders.due_times()) places.push_back({spool::Queue::deferred, when});
        for (const auto& place : places)
            if (queues.empty() || std::find(queues.begin(), queues.end(), spool::queue_name(place.queue)) != queues.end())
                for (auto& id : folders.list(place)) ids.push_back(std::move(id));
    }
    size_t count = 0;
    for (const auto& id : ids) count += act_on_file(folders, operation, id);
    return count;
}

size_t carry_out(const config::Config& config, const Order& order, const std::vector<std::string>& queues)
{
    std::vector<std::string> ids = ids_of(order.what);
    size_t count = 0;
    constexpr size_t at_once = 1000;    // what one message to the queue manager holds
    for (size_t at = 0; at < ids.size(); at += at_once) {
        std::vector<std::string> words = {order.operation->word};
        std::vector<std::string> part(ids.begin() + static_cast<std::ptrdiff_t>(at),
                                      ids.begin() + static_cast<std::ptrdiff_t>(std::min(at + at_once, ids.size())));
        words.insert(words.end(), part.begin(), part.end());
        if (part[0] == "ALL") words.insert(words.end(), queues.begin(), queues.end());
        auto answer = commands::ask_queue_manager(config, words, [](std::string_view) {});
        if (!answer.reached) {
            count += act_on_files(config, *order.operation, part, queues);
            continue;
        }
        if (answer.failed) fail(EX_NOPERM, answer.last_line);
        if (answer.last_line.starts_with("count ")) count += base::number<size_t>(std::string_view(answer.last_line).substr(6)).value_or(0);
    }
    return count;
}

} // namespace

int main(int argc, char** argv)
{
    base::log::to_stderr("postsuper");
    std::string folder = config::default_folder();
    std::vector<Order> orders;
    for (int letter; (letter = ::getopt(argc, argv, "c:d:e:f:h:H:pr:sSv")) != -1;) {
        if (letter == 'c') folder = optarg;
        bool known = letter == 'c' || letter == 'v' || letter == 'p' || letter == 's' || letter == 'S';
        for (const auto& operation : operations)
            if (operation.letter == letter) {
                orders.push_back({&operation, optarg});
                known = true;
            }
        if (!known) fail(EX_USAGE, "usage: postsuper [-c config_directory] [-d queue_id] [-h queue_id] [-H queue_id] [-r queue_id] [-e queue_id] [-f queue_id] [queue_name …]");
    }
    std::vector<std::string> queues(argv + optind, argv + argc);
    for (const auto& name : queues)
        if (!spool::find_queue(name)) fail(EX_USAGE, "unknown queue name: " + name);
    for (const auto& order : orders)
        if (order.what != "-" && order.what != "ALL" && !spool::is_queue_id(order.what)) fail(EX_USAGE, "invalid queue ID: " + order.what);
    try {
        config::Config config = config::Config::load(folder);
        for (const auto& order : orders) {
            size_t count = carry_out(config, order, queues);
            if (count > 0) std::fprintf(stderr, "postsuper: %s: %zu message%s\n", order.operation->done, count, count == 1 ? "" : "s");
        }
        return EX_OK;
    } catch (const config::Error& trouble) {
        fail(EX_CONFIG, trouble.what());
    } catch (const std::exception& trouble) {
        fail(EX_UNAVAILABLE, trouble.what());
    }
}
