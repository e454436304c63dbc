// STAT and LIST, RFC 1939 5; UIDL, RFC 1939 7: what there is.
#include "commands.h"

#include "async/lend.h"

namespace pop3d {
namespace {

struct ReadUniqueIds {
    UniqueIds how;
    std::vector<uint32_t> uids;
    std::vector<std::string> operator()(Mail& mail) { return how.read(*mail.inbox, uids); }
};

async::Task<> have_unique_ids(Session& session)
{
    if (session.has_unique_ids) co_return;
    ReadUniqueIds work{session.settings.unique_ids, {}};
    for (const auto& message : session.messages) work.uids.push_back(message.uid);
    auto ids = co_await async::lend(session.mail, std::move(work));
    for (size_t i = 0; i < ids.size(); ++i) session.messages[i].unique_id = std::move(ids[i]);
    session.has_unique_ids = true;
}

Traffic present(const Session& session)
{
    Traffic sum;
    for (const auto& message : session.messages) {
        if (message.deleted) continue;
        ++sum.messages;
        sum.bytes += message.size;
    }
    return sum;
}

} // namespace

async::Task<> cmd_stat(Session& session, Arguments arguments)
{
    arguments.end();
    auto sum = present(session);
    session.ok(fmt::format("{} {}", sum.messages, sum.bytes));
    co_return;
}

async::Task<> cmd_list(Session& session, Arguments arguments)
{
    if (!arguments.at_end()) {
        size_t number = 0;
        Message& message = arguments.message(session, &number);
        arguments.end();
        session.ok(fmt::format("{} {}", number, message.size));
        co_return;
    }
    auto sum = present(session);
    session.ok(fmt::format("{} messages ({} octets)", sum.messages, sum.bytes));
    for (size_t i = 0; i < session.messages.size(); ++i) {
        if (session.messages[i].deleted) continue;
        session.write(fmt::format("{} {}\r\n", i + 1, session.messages[i].size));
        co_await session.flush_if_full();
    }
    session.write(".\r\n");
}

async::Task<> cmd_uidl(Session& session, Arguments arguments)
{
    co_await have_unique_ids(session);
    if (!arguments.at_end()) {
        size_t number = 0;
        Message& message = arguments.message(session, &number);
        arguments.end();
        session.ok(fmt::format("{} {}", number, message.unique_id));
        co_return;
    }
    session.ok();
    for (size_t i = 0; i < session.messages.size(); ++i) {
        if (session.messages[i].deleted) continue;
        session.write(fmt::format("{} {}\r\n", i + 1, session.messages[i].unique_id));
        co_await session.flush_if_full();
    }
    session.write(".\r\n");
}

} // namespace pop3d
