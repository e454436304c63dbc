// CREATE, DELETE and RENAME, RFC 3501 6.3.3 to 6.3.5; CREATE-SPECIAL-USE, RFC 6154 3.
#include "cmd.h"

#include "listing.h"

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

// create-param: " (USE (\Drafts))". Empty: there is none. A mailbox has one use here.
std::string read_use(Arguments& arguments)
{
    std::string use;
    if (!arguments.skip(' ')) return use;
    arguments.expect('(');
    if (!arguments.skip_keyword("USE")) throw Bad("Unknown CREATE parameter");
    arguments.space();
    arguments.expect('(');
    while (arguments.skip('\\')) {
        if (!use.empty()) use += ' ';
        use += '\\';
        use += arguments.atom();
        if (!arguments.skip(' ')) break;
    }
    arguments.expect(')');
    arguments.expect(')');
    return use;
}

} // namespace

async::Task<Tagged> cmd_create(Session& session, Arguments& arguments)
{
    arguments.space();
    std::string name = arguments.mailbox();
    std::string use = read_use(arguments);
    arguments.end();
    std::string_view known = known_use(use);
    if (!use.empty() && known.empty()) co_return no("[USEATTR] A mailbox can't have that use");
    // RFC 3501 6.3.3: a separator at the end announces names below; the mailbox is made without it.
    name = without_last_separator(std::move(name), session.mail.store->separator());
    store::Answer answer = session.mail.store->create(name);
    if (answer == store::Answer::done && !known.empty())
        session.mail.store->annotations().change(name, {{"/private/specialuse", std::string(known)}});
    co_return tagged(answer, "CREATE completed");
}

async::Task<Tagged> cmd_delete(Session& session, Arguments& arguments)
{
    arguments.space();
    std::string name = arguments.mailbox();
    arguments.end();
    store::Answer answer = session.mail.store->remove(name);
    if (answer == store::Answer::done) {
        session.mail.store->annotations().follow(name, std::nullopt, session.mail.store->separator());
        if (session.selected && session.selected->name == name) session.unselect();
    }
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
    if (answer == store::Answer::done) {
        // INBOX stays, and what is noted of it.
        if (from != "INBOX") session.mail.store->annotations().follow(from, to, session.mail.store->separator());
        follow(session, from, to);
    }
    co_return tagged(answer, "RENAME completed");
}

} // namespace imapd
