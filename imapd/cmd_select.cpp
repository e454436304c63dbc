// SELECT and EXAMINE, RFC 3501 6.3.1 and 6.3.2.
#include "cmd.h"

#include "news.h"

#include "async/lend.h"

#include <fmt/format.h>

#include <algorithm>

namespace imapd {

namespace {

struct OpenBox {
    std::string name;
    store::Access access;
    bool operator()(Mail& mail)
    {
        mail.box = mail.store->open(name, access);
        return mail.box != nullptr;
    }
};

Selected first_view(std::string name, const store::Mailbox& box)
{
    Selected view;
    view.name = std::move(name);
    view.read_only = box.access() == store::Access::read_only;
    view.uids.reserve(box.messages().size());
    for (const auto& message : box.messages()) {
        view.uids.push_back(message.uid);
        if (message.flags & store::flag::recent) ++view.told_recent;
    }
    return view;
}

void describe(Session& session)
{
    const store::Mailbox& box = *session.mail.box;
    const auto& messages = box.messages();
    say_flags(session);
    session.client.say(fmt::format("* {} EXISTS", messages.size()));
    session.client.say(fmt::format("* {} RECENT", session.selected->told_recent));
    auto unseen = std::find_if(messages.begin(), messages.end(),
                               [](const store::Message& message) { return !(message.flags & store::flag::seen); });
    if (unseen != messages.end())
        session.client.say(fmt::format("* OK [UNSEEN {}] First unseen", unseen - messages.begin() + 1));
    session.client.say(fmt::format("* OK [UIDVALIDITY {}] UIDs valid", box.uid_validity()));
    session.client.say(fmt::format("* OK [UIDNEXT {}] Predicted next UID", box.uid_next()));
}

async::Task<Tagged> select(Session& session, Arguments& arguments, store::Access access)
{
    arguments.space();
    std::string name = arguments.mailbox();
    arguments.end();
    session.unselect(); // RFC 3501 6.3.1: also when the new one can't be opened
    OpenBox work{name, access};
    bool found = co_await async::lend(session.mail, std::move(work));
    if (!found) co_return no("[NONEXISTENT] No such mailbox");
    session.selected = first_view(std::move(name), *session.mail.box);
    describe(session);
    const char* words = access == store::Access::read_only ? "EXAMINE completed" : "SELECT completed";
    co_return ok(fmt::format("[{}] {}", session.selected->read_only ? "READ-ONLY" : "READ-WRITE", words));
}

} // namespace

async::Task<Tagged> cmd_select(Session& session, Arguments& arguments)
{
    return select(session, arguments, store::Access::read_write);
}

async::Task<Tagged> cmd_examine(Session& session, Arguments& arguments)
{
    return select(session, arguments, store::Access::read_only);
}

} // namespace imapd
