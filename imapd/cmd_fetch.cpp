// FETCH, RFC 3501 6.4.5, and UID FETCH, 6.4.8; CHANGEDSINCE and VANISHED, RFC 7162 3.1.4 and 3.2.6; BINARY, RFC 3516;
// PREVIEW, RFC 8970; SAVEDATE, RFC 8514.
#include "cmd.h"

#include "fetching.h"
#include "vanished.h"

#include <algorithm>

namespace imapd {

namespace {

constexpr size_t fairness = 200; // messages after which other sessions of this process have their turn

struct Modifiers {
    std::optional<uint64_t> changed_since;
    bool vanished = false;
};

// fetch-modifiers: " (CHANGEDSINCE 12345 VANISHED)"
Modifiers read_modifiers(Arguments& arguments)
{
    Modifiers modifiers;
    if (!arguments.skip(' ')) return modifiers;
    arguments.expect('(');
    do {
        if (arguments.skip_keyword("VANISHED"))
            modifiers.vanished = true;
        else if (arguments.skip_keyword("CHANGEDSINCE")) {
            arguments.space();
            modifiers.changed_since = arguments.number64();
        } else
            throw Bad("Unknown FETCH modifier");
    } while (arguments.skip(' '));
    arguments.expect(')');
    if (modifiers.vanished && !modifiers.changed_since) throw Bad("VANISHED needs CHANGEDSINCE");
    return modifiers;
}

void want(std::vector<FetchItem>& items, FetchItem::What what, std::string label, bool first)
{
    if (std::any_of(items.begin(), items.end(), [&](const FetchItem& item) { return item.what == what; })) return;
    FetchItem item;
    item.what = what;
    item.label = std::move(label);
    items.insert(first ? items.begin() : items.end(), std::move(item));
}

enum class Outcome { told, gone, unknown_encoding };

async::Task<Outcome> fetch_one(Session& session, uint32_t number, uint32_t uid, const std::vector<FetchItem>& items)
{
    Fetching message(session, uid);
    if (!message.load(items)) co_return Outcome::gone;
    auto pieces = message.compose(items, number);
    for (const Piece& piece : pieces) {
        session.client.write(piece.text);
        if (piece.part.bytes.empty()) continue;
        WirePlace end = co_await send_part(session.client, piece.part);
        message.remember(items[piece.item], piece.part, end);
    }
    co_await session.client.flush_if_full();
    co_return message.unknown_encoding() ? Outcome::unknown_encoding : Outcome::told;
}

// What the items need besides the message itself.
void prepare(Session& session, std::vector<FetchItem>& items, const Modifiers& modifiers, bool by_uid)
{
    if (by_uid || session.enabled.qresync) want(items, FetchItem::What::uid, "UID", true);
    if (modifiers.changed_since) want(items, FetchItem::What::modseq, "MODSEQ", false);
    bool saved = false, modseq = false;
    for (const FetchItem& item : items) {
        saved |= item.what == FetchItem::What::save_date;
        modseq |= item.what == FetchItem::What::modseq;
    }
    // RFC 7162 3.1: either enables CONDSTORE.
    if (modseq) session.enable_condstore();
    if (saved) session.mail.box->history().follow(*session.mail.box);
}

async::Task<Tagged> fetch(Session& session, Arguments& arguments, bool by_uid)
{
    arguments.space();
    SequenceSet set = arguments.sequence_set();
    arguments.space();
    std::vector<FetchItem> items = parse_fetch_items(arguments);
    Modifiers modifiers = read_modifiers(arguments);
    arguments.end();
    if (modifiers.vanished && (!by_uid || !session.enabled.qresync)) throw Bad("VANISHED is for UID FETCH with QRESYNC");
    std::vector<uint32_t> uids = session.selected->uids_of(set, by_uid);
    prepare(session, items, modifiers, by_uid);
    if (modifiers.changed_since) {
        auto& history = session.mail.box->history();
        std::erase_if(uids, [&](uint32_t uid) { return history.modseq(uid) <= *modifiers.changed_since; });
        if (modifiers.vanished) say_vanished(session, *modifiers.changed_since, set);
    }
    bool all_there = true, all_decoded = true;
    for (size_t i = 0; i < uids.size(); ++i) {
        Outcome outcome = co_await fetch_one(session, *session.selected->number_of(uids[i]), uids[i], items);
        all_there &= outcome != Outcome::gone;
        all_decoded &= outcome != Outcome::unknown_encoding;
        if (i % fairness == fairness - 1) co_await async::Yield();
    }
    if (!all_decoded) co_return no("[UNKNOWN-CTE] The transfer encoding of a part is not known");
    // RFC 2180 4.1.2: what another session expunged meanwhile can't be had.
    if (!all_there && !by_uid) co_return no("[EXPUNGEISSUED] Some of these messages are gone");
    co_return ok("FETCH completed");
}

} // namespace

async::Task<Tagged> cmd_fetch(Session& session, Arguments& arguments) { return fetch(session, arguments, false); }
async::Task<Tagged> cmd_uid_fetch(Session& session, Arguments& arguments) { return fetch(session, arguments, true); }

} // namespace imapd
