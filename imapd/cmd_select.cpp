// SELECT and EXAMINE, RFC 3501 6.3.1 and 6.3.2; CONDSTORE and QRESYNC, RFC 7162 3.1.8 and 3.2.5.
#include "cmd.h"

#include "news.h"
#include "shelf.h"
#include "vanished.h"

#include "async/lend.h"

#include <fmt/format.h>

#include <algorithm>

namespace imapd {

namespace {

struct OpenBox {
    std::string name;
    store::Access access;
    std::unique_ptr<store::Mailbox> kept; // from the shelf
    bool operator()(Mail& mail)
    {
        if (kept && kept->reopen()) mail.box = std::move(kept);
        else mail.box = mail.store->open(name, access);
        if (mail.box) mail.box->history().follow(*mail.box);
        return mail.box != nullptr;
    }
};

// What the client knows of the mailbox from before.
struct Resync {
    uint32_t uid_validity = 0;
    uint64_t modseq = 0;
    SequenceSet uids{{{1, 0}}, false};
};
struct Parameters {
    bool condstore = false;
    std::optional<Resync> resync;
};

// "(" uidvalidity SP mod-sequence-value [SP known-uids] [SP seq-match-data] ")"
Resync read_resync(Arguments& arguments)
{
    Resync resync;
    arguments.space();
    arguments.expect('(');
    resync.uid_validity = arguments.nz_number();
    arguments.space();
    resync.modseq = arguments.number64();
    if (resync.modseq == 0) throw Bad("A mod-sequence is not zero");
    bool more = arguments.skip(' ');
    if (more && !arguments.at('(')) {
        resync.uids = arguments.sequence_set();
        more = arguments.skip(' ');
    }
    if (more) {
        // seq-match-data helps servers that forget what was expunged. For us the UIDs do.
        arguments.expect('(');
        arguments.sequence_set();
        arguments.space();
        arguments.sequence_set();
        arguments.expect(')');
    }
    arguments.expect(')');
    return resync;
}

// select-params: " (CONDSTORE)", " (QRESYNC (67890007 20050715194045000 41,43:211))"
Parameters read_parameters(Arguments& arguments)
{
    Parameters parameters;
    if (!arguments.skip(' ')) return parameters;
    arguments.expect('(');
    do {
        if (arguments.skip_keyword("CONDSTORE"))
            parameters.condstore = true;
        else if (arguments.skip_keyword("QRESYNC"))
            parameters.resync = read_resync(arguments);
        else
            throw Bad("Unknown SELECT parameter");
    } while (arguments.skip(' '));
    arguments.expect(')');
    return parameters;
}

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
    store::Mailbox& box = *session.mail.box;
    const auto& messages = box.messages();
    say_flags(session);
    session.client.say(fmt::format("* {} EXISTS", messages.size()));
    bool rev2 = session.enabled.rev2;
    if (!rev2) session.client.say(fmt::format("* {} RECENT", session.selected->told_recent));
    auto unseen = std::find_if(messages.begin(), messages.end(),
                               [](const store::Message& message) { return !(message.flags & store::flag::seen); });
    if (unseen != messages.end() && !rev2)
        session.client.say(fmt::format("* OK [UNSEEN {}] First unseen", unseen - messages.begin() + 1));
    session.client.say(fmt::format("* OK [UIDVALIDITY {}] UIDs valid", box.uid_validity()));
    session.client.say(fmt::format("* OK [UIDNEXT {}] Predicted next UID", box.uid_next()));
    session.client.say(fmt::format("* OK [HIGHESTMODSEQ {}] Highest", box.history().highest()));
    // RFC 9051 6.3.2: LIST tells the name as we write it.
    if (rev2)
        session.client.say(fmt::format("* LIST () \"{}\" {}", session.mail.store->separator(), session.wire_name(session.selected->name)));
}

// What changed and what was expunged since the client was here.
async::Task<> say_missed(Session& session, const Resync& resync)
{
    store::Mailbox& box = *session.mail.box;
    if (resync.uid_validity != box.uid_validity()) co_return;
    say_vanished(session, resync.modseq, resync.uids);
    for (uint32_t uid : session.selected->uids_of(resync.uids, true)) {
        if (box.history().modseq(uid) <= resync.modseq) continue;
        store::Flags flags = box.messages()[*box.index_of(uid)].flags;
        session.client.say(fmt::format("* {} FETCH (UID {} {}{})", *session.selected->number_of(uid), uid,
                                       modseq_text(session, uid), flags_text(session, flags)));
        co_await session.client.flush_if_full();
    }
}

async::Task<Tagged> select(Session& session, Arguments& arguments, store::Access access)
{
    arguments.space();
    std::string name = arguments.mailbox();
    Parameters parameters = read_parameters(arguments);
    arguments.end();
    if (parameters.resync && !session.enabled.qresync) throw Bad("QRESYNC must be enabled first");
    // RFC 7162 3.2.11: what comes after this line is of the new mailbox.
    if (session.selected) session.client.say("* OK [CLOSED] Previous mailbox closed");
    session.unselect(); // RFC 3501 6.3.1: also when the new one can't be opened
    OpenBox work{name, access, shelf().take(session.shelf_place(name, access))};
    bool found = co_await async::lend(session.mail, std::move(work));
    if (!found) co_return no("[NONEXISTENT] No such mailbox");
    if (parameters.condstore) session.enable_condstore();
    session.selected = first_view(std::move(name), *session.mail.box);
    describe(session);
    if (parameters.resync) co_await say_missed(session, *parameters.resync);
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
