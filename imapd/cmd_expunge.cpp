// EXPUNGE, RFC 3501 6.4.3; UID EXPUNGE, RFC 4315 2.1; CLOSE, RFC 3501 6.4.2; UNSELECT, RFC 3691.
#include "cmd.h"

#include "async/lend.h"

#include <algorithm>

namespace imapd {

namespace {

struct Remove {
    std::vector<uint32_t> uids;
    size_t operator()(Mail& mail) { return mail.box->expunge(uids).size(); }
};

// Those the client knows, and that are marked as deleted.
std::vector<uint32_t> deleted(const Session& session)
{
    std::vector<uint32_t> uids;
    for (const auto& message : session.mail.box->messages())
        if (message.flags & store::flag::deleted && session.selected->number_of(message.uid))
            uids.push_back(message.uid);
    return uids;
}

async::Task<> remove(Session& session, std::vector<uint32_t> uids)
{
    if (uids.empty()) co_return;
    Remove work{std::move(uids)};
    co_await async::lend(session.mail, std::move(work));
    session.selected->stale = true;
    session.note_changes();
}

} // namespace

async::Task<Tagged> cmd_expunge(Session& session, Arguments& arguments)
{
    arguments.end();
    if (session.selected->read_only) co_return no("[READ-ONLY] The mailbox is read-only");
    co_await remove(session, deleted(session));
    co_return ok(session.modseq_code() + "EXPUNGE completed");
}

async::Task<Tagged> cmd_uid_expunge(Session& session, Arguments& arguments)
{
    arguments.space();
    SequenceSet set = arguments.sequence_set();
    arguments.end();
    if (session.selected->read_only) co_return no("[READ-ONLY] The mailbox is read-only");
    auto wanted = session.selected->uids_of(set, true);
    std::vector<uint32_t> uids = deleted(session);
    std::erase_if(uids, [&](uint32_t uid) { return !std::binary_search(wanted.begin(), wanted.end(), uid); });
    co_await remove(session, std::move(uids));
    co_return ok(session.modseq_code() + "EXPUNGE completed");
}

async::Task<Tagged> cmd_close(Session& session, Arguments& arguments)
{
    arguments.end();
    if (!session.selected->read_only) co_await remove(session, deleted(session));
    std::string code = session.modseq_code();
    session.unselect();
    co_return ok(code + "CLOSE completed");
}

async::Task<Tagged> cmd_unselect(Session& session, Arguments& arguments)
{
    arguments.end();
    session.unselect();
    co_return ok("UNSELECT completed");
}

} // namespace imapd
