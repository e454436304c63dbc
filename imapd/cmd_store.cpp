// STORE, RFC 3501 6.4.6, and UID STORE, 6.4.8; UNCHANGEDSINCE, RFC 7162 3.1.3.
#include "cmd.h"

#include "news.h"

#include "async/lend.h"

#include <fmt/format.h>

#include <algorithm>

namespace imapd {

namespace {

constexpr size_t few = 50; // renames that may be done without another thread

struct Change {
    std::optional<uint64_t> unchanged_since;
    store::FlagChange how = store::FlagChange::replace;
    bool silent = false;
    store::NamedFlags flags;
};

// store-modifiers: "(UNCHANGEDSINCE 12345) "
std::optional<uint64_t> read_modifiers(Arguments& arguments)
{
    if (!arguments.skip('(')) return std::nullopt;
    if (!arguments.skip_keyword("UNCHANGEDSINCE")) throw Bad("Unknown STORE modifier");
    arguments.space();
    uint64_t modseq = arguments.number64();
    arguments.expect(')');
    arguments.space();
    return modseq;
}

// store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) SP (flag-list / (flag *(SP flag)))
Change read_change(Arguments& arguments)
{
    Change change;
    change.unchanged_since = read_modifiers(arguments);
    if (arguments.skip('+'))
        change.how = store::FlagChange::add;
    else if (arguments.skip('-'))
        change.how = store::FlagChange::remove;
    change.silent = arguments.skip_keyword("FLAGS.SILENT");
    if (!change.silent && !arguments.skip_keyword("FLAGS")) throw Bad("Expected FLAGS or FLAGS.SILENT");
    arguments.space();
    change.flags = arguments.flag_list(false);
    arguments.end();
    return change;
}

struct SetFlags {
    std::vector<uint32_t> uids;
    store::FlagChange how;
    store::Flags flags;
    std::vector<uint32_t> operator()(Mail& mail) { return mail.box->set_flags(uids, how, flags); }
};

// Those that somebody else changed since are left as they are. Nobody can come between the look and the change.
struct SetFlagsIfUnchanged {
    SetFlags change;
    uint64_t since;

    struct Result {
        std::vector<uint32_t> refused;
        store::Changes news; // of the look, for the client to hear of
    };
    Result operator()(Mail& mail)
    {
        store::History& history = mail.box->history();
        store::History::Hold hold(history);
        Result result;
        result.news = mail.box->refresh();
        history.follow(*mail.box);
        std::erase_if(change.uids, [&](uint32_t uid) {
            bool refused = history.modseq(uid) > since;
            if (refused) result.refused.push_back(uid);
            return refused;
        });
        change(mail);
        history.follow(*mail.box);
        return result;
    }
};

// Bits of the named flags; nothing when there is no room for another keyword.
std::optional<store::Flags> bits_of(Session& session, const Change& change)
{
    store::Flags bits = change.flags.system;
    for (const auto& name : change.flags.keywords) {
        bool create = change.how != store::FlagChange::remove;
        auto bit = session.mail.box->keyword(name, create);
        if (!bit && create) return std::nullopt;
        if (bit) bits |= *bit;
    }
    return bits;
}

// The flags; a client that keeps mod-sequences gets them also when it wants no flags (RFC 7162 3.1.3).
async::Task<> tell_flags(Session& session, const std::vector<uint32_t>& uids, bool by_uid, bool silent)
{
    store::Mailbox& box = *session.mail.box;
    for (uint32_t uid : uids) {
        auto index = box.index_of(uid);
        if (!index) continue;
        std::string text = by_uid || session.enabled.qresync ? fmt::format("UID {} ", uid) : std::string();
        text += modseq_text(session, uid);
        if (silent)
            text.pop_back();
        else
            text += flags_text(session, box.messages()[*index].flags);
        session.client.say(fmt::format("* {} FETCH ({})", *session.selected->number_of(uid), text));
        co_await session.client.flush_if_full();
    }
}

// Gives the UIDs that were refused.
async::Task<std::vector<uint32_t>> store_unchanged(Session& session, SetFlags change, uint64_t since)
{
    SetFlagsIfUnchanged work{std::move(change), since};
    auto result = co_await async::lend(session.mail, std::move(work));
    Selected& view = *session.selected;
    view.changed.insert(view.changed.end(), result.news.flags.begin(), result.news.flags.end());
    view.keywords_changed |= result.news.keywords;
    co_return std::move(result.refused);
}

async::Task<Tagged> store_flags(Session& session, Arguments& arguments, bool by_uid)
{
    arguments.space();
    SequenceSet set = arguments.sequence_set();
    arguments.space();
    Change change = read_change(arguments);
    Selected& view = *session.selected;
    std::vector<uint32_t> uids = view.uids_of(set, by_uid);
    if (view.read_only) co_return no("[READ-ONLY] The mailbox is read-only");
    if (uids.empty()) co_return ok("STORE completed");

    size_t keywords_before = session.mail.box->keywords().size();
    auto bits = bits_of(session, change);
    if (!bits) co_return no("[LIMIT] No room for another keyword in this mailbox");
    if (session.mail.box->keywords().size() != keywords_before) say_flags(session);
    SetFlags work{uids, change.how, *bits};
    view.stale = true;
    if (change.unchanged_since) {
        session.enable_condstore();
        auto refused = co_await store_unchanged(session, std::move(work), *change.unchanged_since);
        std::erase_if(uids, [&](uint32_t uid) { return std::binary_search(refused.begin(), refused.end(), uid); });
        co_await tell_flags(session, uids, by_uid, change.silent);
        if (refused.empty()) co_return ok("STORE completed");
        if (!by_uid)
            for (uint32_t& one : refused) one = *view.number_of(one);
        co_return ok(fmt::format("[MODIFIED {}] Conditional STORE failed", write_set(refused)));
    }
    if (uids.size() <= few)
        work(session.mail);
    else
        co_await async::lend(session.mail, std::move(work));
    session.note_changes();
    if (!change.silent || session.enabled.condstore) co_await tell_flags(session, uids, by_uid, change.silent);
    co_return ok("STORE completed");
}

} // namespace

async::Task<Tagged> cmd_store(Session& session, Arguments& arguments) { return store_flags(session, arguments, false); }
async::Task<Tagged> cmd_uid_store(Session& session, Arguments& arguments)
{
    return store_flags(session, arguments, true);
}

} // namespace imapd
