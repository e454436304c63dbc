#include "commands.h"

#include "async/offload.h"
#include "base/log.h"
#include "base/text.h"
#include "spool/listing.h"
#include "spool/queue_id.h"

namespace qmgr {
namespace {

using Words = std::vector<std::string>;

constexpr size_t answer_size = 48 << 10;
constexpr size_t most_unsent = 64;      // a slow reader of a long list: we wait

struct Conversation {
    ipc::Channel& channel;
    Manager& manager;
    Retry& retry;
    std::string text;

    void say(std::string_view line)
    {
        text += line;
        if (text.size() < answer_size) return;
        spool::Answer answer;
        answer.text = std::move(text);
        text.clear();
        channel.post(std::move(answer));
    }
    void end(bool failed = false)
    {
        spool::Answer answer;
        answer.text = std::move(text);
        answer.end = true;
        answer.failed = failed;
        channel.post(std::move(answer));
    }
};

struct Batch {
    spool::Place place;
    std::vector<std::string> ids;
};

std::string list_batch(const spool::Folders& folders, const Batch& batch)
{
    std::string lines;
    for (const auto& id : batch.ids)
        for (const auto& message : spool::list_message(folders, batch.place, id)) lines += spool::listing_lines(message);
    return lines;
}

std::vector<Batch> make_batches(const spool::Folders& folders)
{
    constexpr size_t batch_size = 100;
    std::vector<spool::Place> places = {{spool::Queue::active}, {spool::Queue::incoming}};
    for (int64_t when : folders.due_times()) places.push_back({spool::Queue::deferred, when});
    places.push_back({spool::Queue::hold});
    std::vector<Batch> batches;
    for (const auto& place : places) {
        auto ids = folders.list(place);
        for (size_t at = 0; at < ids.size(); at += batch_size) {
            Batch batch{place, {}};
            for (size_t i = at; i < std::min(at + batch_size, ids.size()); ++i) batch.ids.push_back(std::move(ids[i]));
            batches.push_back(std::move(batch));
        }
    }
    return batches;
}

async::Task<> cmd_list(Conversation& c, Words)
{
    auto look = [folders = c.manager.folders()] { return make_batches(folders); };
    std::vector<Batch> batches = co_await async::offload(std::move(look));
    for (auto& batch : batches) {
        auto read = [folders = c.manager.folders(), batch = std::move(batch)] { return list_batch(folders, batch); };
        std::string lines = co_await async::offload(std::move(read));
        // A batch of messages with very many recipients is cut at line ends.
        for (auto line : base::split(lines, "\n")) c.say(std::string(line) + "\n");
        while (c.channel.unsent() > most_unsent) co_await async::sleep(async::Limit(10));
    }
}

async::Task<> cmd_flush(Conversation& c, Words)
{
    c.retry.flush();
    co_return;
}

async::Task<> cmd_flush_id(Conversation& c, Words words)
{
    if (words.size() < 2 || !c.manager.flush(words[1])) c.say("not found\n");
    co_return;
}

bool is_for_site(const spool::ListedMessage& message, const std::string& site)
{
    return std::any_of(message.recipients.begin(), message.recipients.end(), [&](const auto& recipient) {
        return base::same_word(base::cut_last(recipient.address, '@').after, site);
    });
}

async::Task<> cmd_flush_site(Conversation& c, Words words)
{
    std::string site = words.size() > 1 ? words[1] : "";
    auto look = [folders = c.manager.folders(), site] {
        std::vector<std::string> ids;
        for (int64_t when : folders.due_times())
            for (const auto& id : folders.list({spool::Queue::deferred, when}))
                for (const auto& message : spool::list_message(folders, {spool::Queue::deferred, when}, id))
                    if (is_for_site(message, site)) ids.push_back(id);
        return ids;
    };
    std::vector<std::string> ids = co_await async::offload(std::move(look));
    for (const auto& id : ids) {
        c.manager.flush(id);
        co_await async::Yield();
    }
}

using Change = bool (Manager::*)(const std::string&);

// One operation over ids, or over ALL of the queues named (or of all that it makes sense for).
async::Task<> change(Conversation& c, Words words, Change operation)
{
    std::vector<std::string> ids;
    if (words.size() > 1 && words[1] == "ALL") {
        Words queues(words.begin() + 2, words.end());
        auto look = [folders = c.manager.folders(), queues] {
            std::vector<std::string> found;
            for (auto& batch : make_batches(folders))
                if (queues.empty() || std::find(queues.begin(), queues.end(), spool::queue_name(batch.place.queue)) != queues.end())
                    found.insert(found.end(), batch.ids.begin(), batch.ids.end());
            return found;
        };
        ids = co_await async::offload(std::move(look));
    } else {
        ids.assign(words.begin() + 1, words.end());
    }
    size_t count = 0;
    for (const auto& id : ids) {
        if (spool::is_queue_id(id) && (c.manager.*operation)(id)) {
            ++count;
            c.say(id + "\n");
        }
        co_await async::Yield();
    }
    c.say(fmt::format("count {}\n", count));
}

async::Task<> cmd_delete(Conversation& c, Words words) { return change(c, std::move(words), &Manager::remove); }
async::Task<> cmd_hold(Conversation& c, Words words) { return change(c, std::move(words), &Manager::hold); }
async::Task<> cmd_release(Conversation& c, Words words) { return change(c, std::move(words), &Manager::release); }
async::Task<> cmd_requeue(Conversation& c, Words words) { return change(c, std::move(words), &Manager::requeue); }
async::Task<> cmd_expire(Conversation& c, Words words) { return change(c, std::move(words), &Manager::expire); }

struct Verb {
    std::string_view name;
    bool changes;
    async::Task<> (*run)(Conversation&, Words);
};
constexpr Verb verbs[] = {
    {"list", false, cmd_list},     {"flush", false, cmd_flush}, {"flush-id", false, cmd_flush_id}, {"flush-site", false, cmd_flush_site},
    {"delete", true, cmd_delete},  {"hold", true, cmd_hold},    {"release", true, cmd_release},    {"requeue", true, cmd_requeue},
    {"expire", true, cmd_expire},
};

async::Task<> answer(Conversation& c, Words words, bool may_change)
{
    for (const Verb& verb : verbs) {
        if (words.empty() || verb.name != words[0]) continue;
        if (verb.changes && !may_change) {
            c.say("permission denied\n");
            c.end(true);
            co_return;
        }
        std::string trouble;
        try {
            co_await verb.run(c, words);
        } catch (const std::exception& failure) {
            trouble = failure.what();
        }
        if (!trouble.empty()) c.say(trouble + "\n");
        c.end(!trouble.empty());
        co_return;
    }
    c.say("unknown command\n");
    c.end(true);
}

} // namespace

async::Task<> serve_command(ipc::Channel channel, Manager& manager, Retry& retry, bool may_change)
{
    try {
        while (true) {
            auto packet = co_await channel.receive();
            if (!packet) break;
            auto command = ipc::unpack<spool::Command>(*packet);
            Conversation conversation{channel, manager, retry, {}};
            co_await answer(conversation, std::move(command.words), may_change);
        }
    } catch (const ipc::Malformed& fault) {
        base::log::warning("a queue command (pid {}): {}", channel.peer().pid, fault.what());
    }
}

} // namespace qmgr
