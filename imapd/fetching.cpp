#include "fetching.h"

#include "digest.h"

#include <fmt/format.h>

#include <algorithm>

namespace imapd {

namespace {

using Kind = store::Notes::Kind;

// The kind of note that answers an item without the message.
std::optional<Kind> note_for(const FetchItem& item)
{
    using What = FetchItem::What;
    switch (item.what) {
    case What::envelope: return Kind::fields;
    case What::body: return Kind::body;
    case What::body_structure: return Kind::body_structure;
    case What::preview: return Kind::preview;
    case What::section: {
        const Section& section = item.section;
        bool digested = section.path.empty() && section.what == Section::What::fields &&
                        std::all_of(section.fields.begin(), section.fields.end(), is_digested);
        return digested ? std::optional(Kind::fields) : std::nullopt;
    }
    default: return std::nullopt;
    }
}

} // namespace

// What notes tell, and the message where they do not. False: it is gone.
bool Fetching::load_content(const std::vector<FetchItem>& items)
{
    bool needed = false, digest = false;
    for (const FetchItem& item : items) {
        if (!item.needs_content()) continue;
        auto kind = note_for(item);
        digest |= kind == Kind::fields;
        if (kind && !noted_.contains(*kind))
            if (auto noted = box_.notes().find(uid_, *kind)) noted_.emplace(*kind, *noted);
        needed |= !kind || !noted_.contains(*kind);
    }
    if (!needed) return true;
    auto content = box_.content(uid_);
    if (!content) return false;
    content_.emplace(std::move(*content));
    if (digest && !noted_.contains(Kind::fields)) noted_.emplace(Kind::fields, note_digest(box_, uid_, content_->raw()));
    return true;
}

// An answer that is the same for ever: noted when it has to be made.
template <class Make> const std::string& Fetching::noted(Kind kind, Make make)
{
    auto [entry, is_new] = noted_.try_emplace(kind);
    if (is_new) {
        entry->second = make();
        box_.notes().add(uid_, kind, entry->second);
    }
    return entry->second;
}

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
        seen |= item.sets_seen;
    }
    if (!load_content(items)) return false;
    auto index = box_.index_of(uid_);
    if (!index) return false;
    if (seen && !session_.selected->read_only && !(box_.messages()[*index].flags & store::flag::seen)) {
        newly_seen_ = !box_.set_flags(std::span(&uid_, 1), store::FlagChange::add, store::flag::seen).empty();
        session_.selected->stale = true;
        if (newly_seen_) session_.note_changes();
    }
    return box_.index_of(uid_).has_value();
}

std::string Fetching::simple_value(const FetchItem& item)
{
    switch (item.what) {
    case FetchItem::What::flags: return flags_text(session_, box_.messages()[*box_.index_of(uid_)].flags);
    case FetchItem::What::uid: return fmt::format("UID {}", uid_);
    case FetchItem::What::internal_date: return fmt::format("INTERNALDATE \"{}\"", mail::write_imap_date({date_, 0}));
    case FetchItem::What::size: return fmt::format("RFC822.SIZE {}", size_);
    case FetchItem::What::envelope: return "ENVELOPE " + envelope_text(mail::parse_envelope(noted_.at(Kind::fields)));
    case FetchItem::What::body: return "BODY " + noted(Kind::body, [&] { return structure_text(structure(), false); });
    case FetchItem::What::body_structure:
        return "BODYSTRUCTURE " + noted(Kind::body_structure, [&] { return structure_text(structure(), true); });
    case FetchItem::What::modseq: return fmt::format("MODSEQ ({})", box_.history().modseq(uid_));
    case FetchItem::What::save_date: {
        auto date = box_.history().first_seen(uid_);
        return date ? fmt::format("SAVEDATE \"{}\"", mail::write_imap_date({*date, 0})) : "SAVEDATE NIL";
    }
    case FetchItem::What::preview: {
        std::string text = "PREVIEW ";
        put_string(text, noted(Kind::preview, [&] { return preview_text(content_->raw(), structure()); }));
        return text;
    }
    case FetchItem::What::binary_size: return binary_size(item);
    case FetchItem::What::section:
    case FetchItem::What::binary: break;
    }
    return {};
}

std::string Fetching::binary_size(const FetchItem& item)
{
    Extract found = extract_binary(content_->raw(), structure(), item.section);
    unknown_encoding_ |= found.kind == Extract::Kind::unknown_encoding;
    uint64_t octets = found.kind == Extract::Kind::raw ? mail::wire_size(found.raw).octets : found.made.size();
    return fmt::format("{} {}", item.label, octets);
}

// The place where the last partial FETCH of the same section ended.
bool Fetching::recall(const FetchItem& item, WirePart& part, uint64_t& octets)
{
    const PartialPlace& place = session_.partial;
    std::string_view name = std::string_view(item.label).substr(0, item.label.rfind('<'));
    if (!content_ || !item.partial || place.uid != uid_ || place.section != name) return false;
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
    bool binary = item.what == FetchItem::What::binary;
    const mail::Part* tree = item.section.path.empty() && !binary ? nullptr : &structure();
    std::string_view message = note_for(item) ? std::string_view(noted_.at(Kind::fields)) : content_->raw();
    Extract found = binary ? extract_binary(message, *tree, item.section) : extract(message, tree, item.section);
    unknown_encoding_ |= found.kind == Extract::Kind::unknown_encoding;
    switch (found.kind) {
    case Extract::Kind::unknown_encoding:
    case Extract::Kind::none: piece.text += " NIL"; break;
    case Extract::Kind::raw:
        part.bytes = found.raw;
        octets = mail::wire_size(found.raw).octets;
        break;
    case Extract::Kind::made: put_made(item, found.made, piece); break;
    }
    // An empty section of the message is a literal too, though nothing of it is left to send.
    if (found.kind == Extract::Kind::raw && found.raw.empty()) piece.text += " \"\"";
    return part;
}

void Fetching::put_made(const FetchItem& item, std::string_view made, Piece& piece)
{
    if (item.partial) made = made.substr(std::min<uint64_t>(item.start, made.size())).substr(0, item.count);
    // RFC 3516 4.2: a literal8 where there may be a NUL.
    bool has_nul = made.find('\0') != std::string_view::npos;
    piece.text += fmt::format(" {}{{{}}}\r\n", has_nul ? "~" : "", made.size());
    piece.text += made;
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
        if (item.what != FetchItem::What::section && item.what != FetchItem::What::binary) {
            pieces.back().text += simple_value(item);
            said_flags |= item.what == FetchItem::What::flags;
            continue;
        }
        pieces.back().item = i;
        put_section(item, pieces.back());
        if (!pieces.back().part.bytes.empty()) pieces.emplace_back();
    }
    if (newly_seen_ && !said_flags)
        pieces.back().text += " " + flags_text(session_, box_.messages()[*box_.index_of(uid_)].flags);
    bool said_modseq = std::any_of(items.begin(), items.end(), [](const FetchItem& item) { return item.what == FetchItem::What::modseq; });
    // RFC 7162 3.2.4: whatever tells of a change tells its mod-sequence.
    if (newly_seen_ && session_.enabled.condstore && !said_modseq)
        pieces.back().text += fmt::format(" MODSEQ ({})", box_.history().modseq(uid_));
    pieces.back().text += ")\r\n";
    return pieces;
}

} // namespace imapd
