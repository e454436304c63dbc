// STORE, RFC 3501 6.4.6, and UID STORE, 6.4.8.
#include "cmd.h"

#include "news.h"

#include "async/lend.h"

#include <fmt/format.h>

namespace imapd {

namespace {

constexpr size_t few = 50; // renames that may be done without another thread

struct Change {
    store::FlagChange how = store::FlagChange::replace;
    bool silent = false;
    store::NamedFlags flags;
};

// store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) SP (flag-list / (flag *(SP flag)))
Change read_change(Arguments& arguments)
{
    Change change;
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

async::Task<> tell_flags(Session& session, const std::vector<uint32_t>& uids, bool by_uid)
{
    const store::Mailbox& box = *session.mail.box;
    for (uint32_t uid : uids) {
        auto index = box.index_of(uid);
        if (!index) continue;
        std::string who = by_uid ? fmt::format("UID {} ", uid) : std::string();
        uint32_t number = *session.selected->number_of(uid);
        session.client.say(
            fmt::format("* {} FETCH ({}{})", number, who, flags_text(box, box.messages()[*index].flags)));
        co_await session.client.flush_if_full();
    }
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
    if (uids.size() <= few)
        work(session.mail);
    else
        co_await async::lend(session.mail, std::move(work));
    view.stale = true;
    if (!change.silent) co_await tell_flags(session, uids, by_uid);
    co_return ok("STORE completed");
}

} // namespace

async::Task<Tagged> cmd_store(Session& session, Arguments& arguments) { return store_flags(session, arguments, false); }
async::Task<Tagged> cmd_uid_store(Session& session, Arguments& arguments)
{
    return store_flags(session, arguments, true);
}

} // namespace imapd
