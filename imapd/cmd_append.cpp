// APPEND, RFC 3501 6.3.11; MULTIAPPEND, RFC 3502: all messages or none; APPENDUID, RFC 4315; APPENDLIMIT, RFC 7889.
#include "cmd.h"

#include "append_reader.h"

#include "async/lend.h"

#include <fmt/format.h>

namespace imapd {

namespace {

struct Commit {
    std::string mailbox;
    std::vector<ReadMessage> messages;

    struct Places {
        uint32_t uid_validity = 0;
        std::vector<uint32_t> uids;
    };
    Places operator()(Mail& mail)
    {
        Places places;
        try {
            for (ReadMessage& one : messages) {
                auto place = one.message->commit(one.flags, one.date);
                one.message.reset();
                places.uid_validity = place.uid_validity;
                places.uids.push_back(place.uid);
            }
        } catch (...) {
            // RFC 3502 6.3.11: nothing remains of a command that failed.
            if (!places.uids.empty()) mail.store->open(mailbox, store::Access::read_write)->expunge(places.uids);
            throw;
        }
        return places;
    }
};

} // namespace

async::Task<Tagged> cmd_append(Session& session, Arguments& arguments)
{
    arguments.space();
    std::string mailbox = arguments.mailbox();
    AppendReader reader(session, mailbox, arguments);
    auto refused = co_await reader.read(SIZE_MAX);
    if (refused) co_return *refused;
    Commit work{std::move(mailbox), std::move(reader.messages())};
    auto places = co_await async::lend(session.mail, std::move(work));
    co_return ok(fmt::format("[APPENDUID {} {}] APPEND completed", places.uid_validity, write_set(places.uids)));
}

} // namespace imapd
