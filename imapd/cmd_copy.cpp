// COPY, RFC 3501 6.4.7; MOVE, RFC 6851; their UID forms; COPYUID, RFC 4315.
#include "cmd.h"

#include "async/lend.h"


#include <fmt/format.h>

namespace imapd {

namespace {

struct Copy {
    std::vector<uint32_t> uids;
    std::string to;
    std::optional<store::Store::CopyResult> operator()(Mail& mail) { return mail.store->copy(*mail.box, uids, to); }
};

struct Remove {
    std::vector<uint32_t> uids;
    size_t operator()(Mail& mail) { return mail.box->expunge(uids).size(); }
};

struct Wanted {
    std::vector<uint32_t> uids;
    std::string to;
};

Wanted read(Session& session, Arguments& arguments, bool by_uid)
{
    arguments.space();
    SequenceSet set = arguments.sequence_set();
    arguments.space();
    Wanted wanted;
    wanted.to = arguments.mailbox();
    arguments.end();
    wanted.uids = session.selected->uids_of(set, by_uid);
    return wanted;
}

// RFC 4315 3: "COPYUID 38505 304,319:320 3956:3958"; empty when nothing was copied.
std::string copyuid(const store::Store::CopyResult& result)
{
    if (result.uids.empty()) return {};
    std::vector<uint32_t> from, to;
    for (const auto& copied : result.uids) {
        from.push_back(copied.from);
        to.push_back(copied.to);
    }
    return fmt::format("[COPYUID {} {} {}] ", result.uid_validity, write_set(from), write_set(to));
}

// RFC 3501 6.4.7: the client may create it and try again.
Tagged no_target() { return no("[TRYCREATE] No such mailbox"); }

async::Task<Tagged> copy(Session& session, Arguments& arguments, bool by_uid)
{
    Wanted wanted = read(session, arguments, by_uid);
    size_t asked = wanted.uids.size();
    Copy work{std::move(wanted.uids), std::move(wanted.to)};
    auto result = co_await async::lend(session.mail, std::move(work));
    session.selected->stale = true;
    if (!result) co_return no_target();
    if (result->uids.empty() && asked > 0) co_return no("[EXPUNGEISSUED] These messages are gone");
    co_return ok(copyuid(*result) + "COPY completed");
}

async::Task<Tagged> move(Session& session, Arguments& arguments, bool by_uid)
{
    Wanted wanted = read(session, arguments, by_uid);
    if (session.selected->read_only) co_return no("[READ-ONLY] The mailbox is read-only");
    size_t asked = wanted.uids.size();
    Copy work{std::move(wanted.uids), std::move(wanted.to)};
    auto result = co_await async::lend(session.mail, std::move(work));
    session.selected->stale = true;
    if (!result) co_return no_target();
    if (result->uids.empty() && asked > 0) co_return no("[EXPUNGEISSUED] These messages are gone");
    Remove originals;
    for (const auto& copied : result->uids) originals.uids.push_back(copied.from);
    // RFC 6851 4.3: COPYUID comes before the EXPUNGE lines, which the news tell.
    std::string code = copyuid(*result);
    if (!code.empty()) session.client.say(fmt::format("* OK {}Moved", code));
    co_await async::lend(session.mail, std::move(originals));
    session.note_changes();
    co_return ok(session.modseq_code() + "MOVE completed");
}

} // namespace

async::Task<Tagged> cmd_copy(Session& session, Arguments& arguments) { return copy(session, arguments, false); }
async::Task<Tagged> cmd_uid_copy(Session& session, Arguments& arguments) { return copy(session, arguments, true); }
async::Task<Tagged> cmd_move(Session& session, Arguments& arguments) { return move(session, arguments, false); }
async::Task<Tagged> cmd_uid_move(Session& session, Arguments& arguments) { return move(session, arguments, true); }

} // namespace imapd
