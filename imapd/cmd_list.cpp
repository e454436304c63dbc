// LIST, RFC 3501 6.3.8 with RFC 5258's extensions, and LSUB, RFC 3501 6.3.9.
#include "cmd.h"

#include "listing.h"
#include "wire.h"

#include "async/lend.h"

#include <fmt/format.h>

namespace imapd {

namespace {

struct Folders {
    std::vector<store::Folder> folders;
    std::vector<std::string> subscriptions;
    SpecialUses uses;
};

struct Look {
    bool subscriptions;
    Folders operator()(Mail& mail)
    {
        Folders found;
        found.folders = mail.store->list();
        found.uses = mail.store->annotations().everywhere("/private/specialuse");
        // A client may note anything there.
        std::erase_if(found.uses, [](const auto& said) { return known_use(said.second).empty(); });
        if (subscriptions) found.subscriptions = mail.store->subscriptions();
        return found;
    }
};

std::string line(const Session& session, std::string_view word, const Listed& listed)
{
    std::string attributes;
    for (auto attribute : listed.attributes) {
        if (!attributes.empty()) attributes += ' ';
        attributes += attribute;
    }
    std::string_view child_info = listed.has_subscribed_child ? " (\"CHILDINFO\" (\"SUBSCRIBED\"))" : "";
    return fmt::format("* {} ({}) \"{}\" {}{}", word, attributes, session.mail.store->separator(),
                       session.wire_name(listed.name), child_info);
}

// RFC 3501 6.3.8: an empty pattern asks for the separator.
bool asks_separator(const ListRequest& request)
{
    return !request.extended && request.patterns.size() == 1 && request.patterns.front().empty();
}

void say_separator(Session& session, std::string_view word)
{
    session.client.say(fmt::format("* {} (\\Noselect) \"{}\" \"\"", word, session.mail.store->separator()));
}

} // namespace

async::Task<Tagged> cmd_list(Session& session, Arguments& arguments)
{
    ListRequest request = parse_list(arguments);
    if (asks_separator(request)) {
        say_separator(session, "LIST");
        co_return ok("LIST completed");
    }
    Look work{request.only_subscribed || request.tell_subscribed};
    Folders found = co_await async::lend(session.mail, std::move(work));
    char separator = session.mail.store->separator();
    auto chosen = choose_folders(request, found.folders, found.subscriptions, separator, found.uses);
    for (const Listed& listed : chosen) {
        session.client.say(line(session, "LIST", listed));
        co_await session.client.flush_if_full();
        if (request.status.empty() || !listed.selectable) continue;
        co_await say_status(session, listed.name, request.status);
    }
    co_return ok("LIST completed");
}

async::Task<Tagged> cmd_lsub(Session& session, Arguments& arguments)
{
    ListRequest request;
    arguments.space();
    request.reference = arguments.mailbox();
    arguments.space();
    request.patterns.push_back(arguments.list_mailbox());
    arguments.end();
    if (asks_separator(request)) {
        say_separator(session, "LSUB");
        co_return ok("LSUB completed");
    }
    char separator = session.mail.store->separator();
    auto chosen = choose_subscribed(request, session.mail.store->subscriptions(), separator);
    for (const Listed& listed : chosen) {
        session.client.say(line(session, "LSUB", listed));
        co_await session.client.flush_if_full();
    }
    co_return ok("LSUB completed");
}

} // namespace imapd
