// FETCH, RFC 3501 6.4.5, and UID FETCH, 6.4.8.
#include "cmd.h"

#include "fetch.h"
#include "mail/header.h"
#include "news.h"

#include <fmt/format.h>

#include <algorithm>

namespace imapd {

namespace {

constexpr size_t fairness = 200; // messages after which other sessions of this process have their turn

// A piece of the answer: text, then perhaps a part of the message.
struct Piece {
    std::string text;
    WirePart part;
    size_t item = 0;
};

// One message being fetched. What is costly is read at most once.
class Fetching {
public:
    Fetching(Session& session, uint32_t uid) : session_(session), box_(*session.mail.box), uid_(uid) {}

    // False: the message is gone.
    bool load(const std::vector<FetchItem>& items);
    std::vector<Piece> compose(const std::vector<FetchItem>& items, uint32_t number);
    void remember(const FetchItem& item, const WirePart& part, WirePlace end);

private:
    const mail::Part& structure()
    {
        if (!structure_) structure_ = mail::parse_mime(content_->raw());
        return *structure_;
    }
    std::string simple_value(const FetchItem& item);
    void put_section(const FetchItem& item, Piece& piece);
    bool recall(const FetchItem& item, WirePart& part, uint64_t& octets);
    WirePart whole_section(const FetchItem& item, Piece& piece, uint64_t& octets);

    Session& session_;
    store::Mailbox& box_;
    uint32_t uid_;
    bool newly_seen_ = false;
    std::optional<store::Content> content_;
    std::optional<mail::Part> structure_;
    uint64_t size_ = 0;
    std::time_t date_ = 0;
};

bool Fetching::load(const std::vector<FetchItem>& items)
{
    bool seen = false;
    for (const FetchItem& item : items) {
        if (item.what == FetchItem::What::size) {
            auto size = box_.size(uid_);
            if (!size) return false;
            size_ = *size;
        }
        if (item.what == FetchItem::What::internal_date) {
            auto date = box_.date(uid_);
            if (!date) return false;
            date_ = *date;
        }
        if (item.needs_content() && !content_) {
            auto content = box_.content(uid_);
            if (!content) return false;
            content_.emplace(std::move(*content));
        }
        seen |= item.sets_seen;
    }
    auto index = box_.index_of(uid_);
    if (!index) return false;
    if (seen && !session_.selected->read_only && !(box_.messages()[*index].flags & store::flag::seen)) {
        newly_seen_ = !box_.set_flags(std::span(&uid_, 1), store::FlagChange::add, store::flag::seen).empty();
        session_.selected->stale = true;
    }
    return box_.index_of(uid_).has_value();
}

std::string Fetching::simple_value(const FetchItem& item)
{
    switch (item.what) {
    case FetchItem::What::flags: return flags_text(box_, box_.messages()[*box_.index_of(uid_)].flags);
    case FetchItem::What::uid: return fmt::format("UID {}", uid_);
    case FetchItem::What::internal_date: return fmt::format("INTERNALDATE \"{}\"", mail::write_imap_date({date_, 0}));
    case FetchItem::What::size: return fmt::format("RFC822.SIZE {}", size_);
    case FetchItem::What::envelope: {
        auto raw = content_->raw();
        return "ENVELOPE " + envelope_text(mail::parse_envelope(raw.substr(0, mail::header_end(raw).body)));
    }
    case FetchItem::What::body: return "BODY " + structure_text(structure(), false);
    case FetchItem::What::body_structure: return "BODYSTRUCTURE " + structure_text(structure(), true);
    case FetchItem::What::section: break;
    }
    return {};
}

// The place where the last partial FETCH of the same section ended.
bool Fetching::recall(const FetchItem& item, WirePart& part, uint64_t& octets)
{
    const PartialPlace& place = session_.partial;
    std::string_view name = std::string_view(item.label).substr(0, item.label.rfind('<'));
    if (!item.partial || place.uid != uid_ || place.section != name) return false;
    if (place.offset + place.size > content_->raw().size()) return false;
    part.bytes = content_->raw().substr(place.offset, place.size);
    if (place.wire_at <= item.start) part.start = {place.raw_at, place.wire_at};
    octets = place.octets;
    return true;
}

void Fetching::remember(const FetchItem& item, const WirePart& part, WirePlace end)
{
    if (!item.partial || part.bytes.empty()) return;
    PartialPlace& place = session_.partial;
    std::string_view name = std::string_view(item.label).substr(0, item.label.rfind('<'));
    bool known = place.uid == uid_ && place.section == name;
    place.uid = uid_;
    place.section = name;
    place.offset = static_cast<uint64_t>(part.bytes.data() - content_->raw().data());
    place.size = part.bytes.size();
    if (!known) place.octets = mail::wire_size(part.bytes).octets;
    place.raw_at = end.raw;
    place.wire_at = end.wire;
}

WirePart Fetching::whole_section(const FetchItem& item, Piece& piece, uint64_t& octets)
{
    WirePart part;
    if (recall(item, part, octets)) return part;
    const mail::Part* tree = item.section.path.empty() ? nullptr : &structure();
    Extract found = extract(content_->raw(), tree, item.section);
    switch (found.kind) {
    case Extract::Kind::none: piece.text += " NIL"; break;
    case Extract::Kind::raw:
        part.bytes = found.raw;
        octets = mail::wire_size(found.raw).octets;
        break;
    case Extract::Kind::made: {
        std::string_view made = found.made;
        if (item.partial) made = made.substr(std::min<uint64_t>(item.start, made.size())).substr(0, item.count);
        piece.text += fmt::format(" {{{}}}\r\n{}", made.size(), made);
        break;
    }
    }
    // An empty section of the message is a literal too, though nothing of it is left to send.
    if (found.kind == Extract::Kind::raw && found.raw.empty()) piece.text += " \"\"";
    return part;
}

void Fetching::put_section(const FetchItem& item, Piece& piece)
{
    piece.text += item.label;
    uint64_t octets = 0;
    piece.part = whole_section(item, piece, octets);
    if (piece.part.bytes.empty()) return;
    piece.part.skip = item.partial ? std::min(item.start, octets) : 0;
    piece.part.count = octets - piece.part.skip;
    if (item.partial) piece.part.count = std::min(piece.part.count, item.count);
    piece.text += fmt::format(" {{{}}}\r\n", piece.part.count);
}

std::vector<Piece> Fetching::compose(const std::vector<FetchItem>& items, uint32_t number)
{
    std::vector<Piece> pieces(1);
    pieces.back().text = fmt::format("* {} FETCH (", number);
    bool said_flags = false;
    for (size_t i = 0; i < items.size(); ++i) {
        const FetchItem& item = items[i];
        if (i > 0) pieces.back().text += ' ';
        if (item.what != FetchItem::What::section) {
            pieces.back().text += simple_value(item);
            said_flags |= item.what == FetchItem::What::flags;
            continue;
        }
        pieces.back().item = i;
        put_section(item, pieces.back());
        if (!pieces.back().part.bytes.empty()) pieces.emplace_back();
    }
    if (newly_seen_ && !said_flags)
        pieces.back().text += " " + flags_text(box_, box_.messages()[*box_.index_of(uid_)].flags);
    pieces.back().text += ")\r\n";
    return pieces;
}

// False: the message is gone.
async::Task<bool> fetch_one(Session& session, uint32_t number, uint32_t uid, const std::vector<FetchItem>& items)
{
    Fetching message(session, uid);
    if (!message.load(items)) co_return false;
    auto pieces = message.compose(items, number);
    for (const Piece& piece : pieces) {
        session.client.write(piece.text);
        if (piece.part.bytes.empty()) continue;
        WirePlace end = co_await send_part(session.client, piece.part);
        message.remember(items[piece.item], piece.part, end);
    }
    co_await session.client.flush_if_full();
    co_return true;
}

async::Task<Tagged> fetch(Session& session, Arguments& arguments, bool by_uid)
{
    arguments.space();
    SequenceSet set = arguments.sequence_set();
    arguments.space();
    std::vector<FetchItem> items = parse_fetch_items(arguments);
    arguments.end();
    bool has_uid = std::any_of(items.begin(), items.end(),
                               [](const FetchItem& item) { return item.what == FetchItem::What::uid; });
    if (by_uid && !has_uid) {
        FetchItem item;
        item.what = FetchItem::What::uid;
        items.insert(items.begin(), item);
    }
    std::vector<uint32_t> uids = session.selected->uids_of(set, by_uid);
    bool all_there = true;
    for (size_t i = 0; i < uids.size(); ++i) {
        bool there = co_await fetch_one(session, *session.selected->number_of(uids[i]), uids[i], items);
        all_there &= there;
        if (i % fairness == fairness - 1) co_await async::Yield();
    }
    // RFC 2180 4.1.2: what another session expunged meanwhile can't be had.
    if (!all_there && !by_uid) co_return no("[EXPUNGEISSUED] Some of these messages are gone");
    co_return ok("FETCH completed");
}

} // namespace

async::Task<Tagged> cmd_fetch(Session& session, Arguments& arguments) { return fetch(session, arguments, false); }
async::Task<Tagged> cmd_uid_fetch(Session& session, Arguments& arguments) { return fetch(session, arguments, true); }

} // namespace imapd
