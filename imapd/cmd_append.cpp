// APPEND, RFC 3501 6.3.11; APPENDUID, RFC 4315; APPENDLIMIT, RFC 7889. The message goes to disk as it arrives.
#include "cmd.h"

#include "async/lend.h"


#include <fmt/format.h>

namespace imapd {

namespace {

struct Target {
    std::string mailbox;
    store::NamedFlags flags;
    std::time_t date = 0;
};

// append = "APPEND" SP mailbox [SP flag-list] [SP date-time] SP literal; the literal's head is still there.
Target read_target(Arguments& arguments)
{
    Target target;
    arguments.space();
    target.mailbox = arguments.mailbox();
    arguments.space();
    if (arguments.at('(')) {
        target.flags = arguments.flag_list(true);
        arguments.space();
    }
    target.date = std::time(nullptr);
    if (arguments.at('"')) {
        target.date = static_cast<std::time_t>(arguments.date_time().unix_seconds);
        arguments.space();
    }
    auto head = literal_head(arguments.rest());
    if (!head || head->start != 0) throw Bad("Expected a literal with the message");
    return target;
}

struct Commit {
    std::unique_ptr<store::NewMessage> message;
    store::NamedFlags flags;
    std::time_t date;
    store::NewMessage::Place operator()(Mail&)
    {
        auto place = message->commit(flags, date);
        message.reset();
        return place;
    }
};

async::Task<> receive(Session& session, store::NewMessage& message)
{
    co_await session.client.accept_message();
    while (true) {
        std::string_view piece = co_await session.client.message_piece();
        if (piece.empty()) co_return;
        message.write(piece);
    }
}

} // namespace

async::Task<Tagged> cmd_append(Session& session, Arguments& arguments)
{
    Target target = read_target(arguments);
    if (!session.client.message()) throw Bad("Expected a literal with the message");
    uint64_t size = session.client.message()->size;
    uint64_t limit = session.settings.message_size_limit;
    if (limit > 0 && size > limit) co_return no(fmt::format("[TOOBIG] Messages may have {} octets", limit));
    if (size == 0) co_return no("[CANNOT] A message of no octets");
    std::unique_ptr<store::NewMessage> message = session.mail.store->append(target.mailbox);
    if (!message) co_return no("[TRYCREATE] No such mailbox");
    co_await receive(session, *message);
    // The end of the command decides: nothing is kept of a command that is none.
    std::string rest = co_await session.client.finish_message();
    if (rest.find_first_not_of(' ') != std::string::npos)
        throw Bad("Expected the end of the command after the message");
    Commit work{std::move(message), std::move(target.flags), target.date};
    auto place = co_await async::lend(session.mail, std::move(work));
    co_return ok(fmt::format("[APPENDUID {} {}] APPEND completed", place.uid_validity, place.uid));
}

} // namespace imapd
