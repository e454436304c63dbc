// REPLACE and UID REPLACE, RFC 8508: a new message in the place of an old one, as a draft that is saved again and again.
#include "cmd.h"

#include "append_reader.h"

#include "async/lend.h"

#include <fmt/format.h>

namespace imapd {

namespace {

struct Exchange {
    ReadMessage added;
    uint32_t old_uid;
    store::NewMessage::Place operator()(Mail& mail)
    {
        auto place = added.message->commit(added.flags, added.date);
        added.message.reset();
        mail.box->expunge(std::span(&old_uid, 1));
        return place;
    }
};

async::Task<Tagged> replace(Session& session, Arguments& arguments, bool by_uid)
{
    arguments.space();
    SequenceSet set;
    set.parts.push_back({arguments.nz_number(), 0});
    set.parts.front().last = set.parts.front().first;
    arguments.space();
    std::string mailbox = arguments.mailbox();
    auto uids = session.selected->uids_of(set, by_uid);
    if (session.selected->read_only) co_return no("[READ-ONLY] The mailbox is read-only");
    // RFC 8508 3.3: what is to be replaced must be there.
    if (uids.empty() || !session.mail.box->index_of(uids.front())) co_return no("[EXPUNGEISSUED] That message is gone");
    AppendReader reader(session, std::move(mailbox), arguments);
    auto refused = co_await reader.read(1);
    if (refused) co_return *refused;
    Exchange work{std::move(reader.messages().front()), uids.front()};
    auto place = co_await async::lend(session.mail, std::move(work));
    session.selected->stale = true;
    session.note_changes();
    // RFC 8508 3.2: before the EXPUNGE, which the news tell.
    session.client.say(fmt::format("* OK [APPENDUID {} {}] Replacement ready", place.uid_validity, place.uid));
    co_return ok(session.modseq_code() + "REPLACE completed");
}

} // namespace

async::Task<Tagged> cmd_replace(Session& session, Arguments& arguments) { return replace(session, arguments, false); }
async::Task<Tagged> cmd_uid_replace(Session& session, Arguments& arguments) { return replace(session, arguments, true); }

} // namespace imapd
