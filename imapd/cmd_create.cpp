// CREATE, DELETE and RENAME, RFC 3501 6.3.3 to 6.3.5.
#include "cmd.h"

#include "base/text.h"

namespace imapd {

namespace {

std::string without_last_separator(std::string name, char separator)
{
    if (name.size() > 1 && name.back() == separator) name.pop_back();
    return name;
}

// The selected mailbox stays selected under its new name.
void follow(Session& session, const std::string& from, const std::string& to)
{
    if (!session.selected || from == "INBOX") return;
    Selected& view = *session.selected;
    bool below = view.name.starts_with(from + session.mail.store->separator());
    if (view.name != from && !below) return;
    std::string name = to + view.name.substr(from.size());
    session.mail.box =
        session.mail.store->open(name, view.read_only ? store::Access::read_only : store::Access::read_write);
    if (!session.mail.box) {
        session.unselect();
        return;
    }
    view.name = std::move(name);
    view.stale = true;
}

} // namespace

async::Task<Tagged> cmd_create(Session& session, Arguments& arguments)
{
    arguments.space();
    std::string name = arguments.mailbox();
    arguments.end();
    // RFC 3501 6.3.3: a separator at the end announces names below; the mailbox is made without it.
    name = without_last_separator(std::move(name), session.mail.store->separator());
    co_return tagged(session.mail.store->create(name), "CREATE completed");
}

async::Task<Tagged> cmd_delete(Session& session, Arguments& arguments)
{
    arguments.space();
    std::string name = arguments.mailbox();
    arguments.end();
    store::Answer answer = session.mail.store->remove(name);
    if (answer == store::Answer::done && session.selected && session.selected->name == name) session.unselect();
    co_return tagged(answer, "DELETE completed");
}

async::Task<Tagged> cmd_rename(Session& session, Arguments& arguments)
{
    arguments.space();
    std::string from = arguments.mailbox();
    arguments.space();
    std::string to = arguments.mailbox();
    arguments.end();
    to = without_last_separator(std::move(to), session.mail.store->separator());
    store::Answer answer = session.mail.store->rename(from, to);
    if (answer == store::Answer::done) follow(session, from, to);
    co_return tagged(answer, "RENAME completed");
}

} // namespace imapd
