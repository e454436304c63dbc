#include "queue_client.h"

#include "async/nursery.h"
#include "base/text.h"
#include "ipc/channel.h"
#include "spool/messages.h"

namespace commands {
namespace {

struct Talk {
    QueueAnswer answer;
    const std::function<void(std::string_view)>& take;
};

async::Task<> converse(ipc::Channel channel, std::vector<std::string> words, Talk& talk)
{
    spool::Command command;
    command.words = std::move(words);
    channel.post(std::move(command));
    std::string rest;
    while (true) {
        auto packet = co_await channel.receive();
        if (!packet) {
            talk.answer.failed = true;
            talk.answer.last_line = "the queue manager broke off";
            break;
        }
        auto answer = ipc::unpack<spool::Answer>(*packet);
        rest += answer.text;
        size_t end = answer.end ? rest.size() : rest.rfind('\n') + 1;
        talk.take(std::string_view(rest).substr(0, end));
        if (answer.end) {
            talk.answer.failed = answer.failed;
            auto lines = base::split(rest, "\n");
            if (!lines.empty()) talk.answer.last_line = lines.back();
            break;
        }
        rest.erase(0, end);
    }
    async::loop().stop();
}

} // namespace

QueueAnswer ask_queue_manager(const config::Config& config, const std::vector<std::string>& words,
                              const std::function<void(std::string_view lines)>& take)
{
    Talk talk{{}, take};
    async::Nursery nursery("queue manager");
    try {
        ipc::Channel channel = ipc::connect_to(config.queue_directory + "/public/qmgr");
        talk.answer.reached = true;
        nursery.start(converse(std::move(channel), words, talk));
    } catch (const base::SystemError&) {
        return talk.answer;
    }
    if (nursery.size() > 0) async::loop().run();
    return talk.answer;
}

} // namespace commands
