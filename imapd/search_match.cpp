// Whether a message meets the criteria of a search.
#include "digest.h"
#include "search.h"

#include "base/text.h"
#include "mail/encoded_word.h"
#include "mail/header.h"

namespace imapd {

namespace {

using Kind = SearchKey::Kind;

// RFC 3501 6.4.4: "disregarding time and timezone": the day as INTERNALDATE shows it, which is in UTC here.
int64_t day_start(int64_t seconds) { return (seconds >= 0 ? seconds / 86400 : (seconds - 86399) / 86400) * 86400; }

} // namespace

void resolve(SearchKey& key, const std::vector<uint32_t>& uids,
             const std::function<std::optional<store::Flags>(const std::string&)>& keyword,
             const std::vector<uint32_t>& saved)
{
    if (key.set.saved) {
        key.kind = Kind::uids;
        key.set = {};
        for (uint32_t uid : saved) key.set.parts.push_back({uid, uid});
    }
    if (key.kind == Kind::uids) key.set.parts = key.set.resolved(uids.empty() ? 0 : uids.back());
    if (key.kind == Kind::numbers) {
        SequenceSet by_uid;
        for (Interval part : key.set.resolved(static_cast<uint32_t>(uids.size()))) {
            if (part.first == 0 || part.last > uids.size()) throw Bad("There is no message of that number");
            by_uid.parts.push_back({uids[part.first - 1], uids[part.last - 1]});
        }
        key.set = std::move(by_uid);
        key.kind = Kind::uids;
    }
    if (key.kind == Kind::keyword || key.kind == Kind::unkeyword) {
        // A keyword that this mailbox does not know is set nowhere.
        auto bit = keyword(key.name);
        bool wanted = key.kind == Kind::keyword;
        key.flags = bit.value_or(0);
        key.kind = wanted ? Kind::flags_set : Kind::flags_clear;
        if (!bit && wanted) {
            key.kind = Kind::negation;
            key.keys.emplace_back();
        }
    }
    for (auto& inner : key.keys) resolve(inner, uids, keyword, saved);
}

bool Candidate::meets(const SearchKey& key)
{
    switch (key.kind) {
    case Kind::all: return true;
    case Kind::numbers:
    case Kind::uids: return contains(key.set.parts, message_.uid);
    case Kind::flags_set: return (message_.flags & key.flags) == key.flags;
    case Kind::flags_clear: return (message_.flags & key.flags) == 0;
    case Kind::keyword:
    case Kind::unkeyword: return false;
    case Kind::before:
    case Kind::on:
    case Kind::since: return meets_date(key);
    case Kind::larger:
    case Kind::smaller: return meets_size(key);
    case Kind::modseq: return box_.history().modseq(message_.uid) >= static_cast<uint64_t>(key.number);
    case Kind::saved_before:
    case Kind::saved_on:
    case Kind::saved_since: return meets_saved(key);
    case Kind::header: return meets_header(key);
    case Kind::sent_before:
    case Kind::sent_on:
    case Kind::sent_since: return meets_sent(key);
    case Kind::body:
    case Kind::text: return meets_body(key);
    case Kind::negation: return !meets(key.keys.front());
    case Kind::either: return meets(key.keys[0]) || meets(key.keys[1]);
    case Kind::both:
        for (const auto& inner : key.keys)
            if (!meets(inner)) return false;
        return true;
    }
    return false;
}

bool Candidate::meets_date(const SearchKey& key)
{
    auto date = box_.date(message_.uid);
    if (!date) return false;
    int64_t seconds = *date;
    if (!key.name.empty()) return seconds >= key.number;
    int64_t day = day_start(seconds);
    if (key.kind == Kind::before) return day < key.number;
    if (key.kind == Kind::on) return day == key.number;
    return day >= key.number;
}

bool Candidate::meets_size(const SearchKey& key)
{
    auto size = box_.size(message_.uid);
    if (!size) return false;
    auto limit = static_cast<uint64_t>(key.number);
    return key.kind == Kind::larger ? *size > limit : *size < limit;
}

// RFC 8514 4.3
bool Candidate::meets_saved(const SearchKey& key)
{
    auto date = box_.history().first_seen(message_.uid);
    if (!date) return false;
    int64_t day = day_start(*date);
    if (key.kind == Kind::saved_before) return day < key.number;
    if (key.kind == Kind::saved_on) return day == key.number;
    return day >= key.number;
}

std::string_view Candidate::raw()
{
    if (!std::exchange(looked_, true)) {
        auto content = box_.content(message_.uid);
        if (content) content_.emplace(std::move(*content));
    }
    return content_ ? content_->raw() : std::string_view();
}

std::string_view Candidate::header()
{
    auto all = raw();
    return all.substr(0, mail::header_end(all).body);
}

// The fields that are looked for most, of a message gone meanwhile none.
std::string_view Candidate::digest()
{
    if (!digest_ && !looked_) digest_ = find_digest(box_, message_.uid);
    if (!digest_) {
        auto all = raw();
        digest_ = content_ ? note_digest(box_, message_.uid, all) : std::string();
    }
    return *digest_;
}

bool Candidate::meets_header(const SearchKey& key)
{
    for (const mail::Field& field : mail::Fields(is_digested(key.name) ? digest() : header())) {
        if (!base::same_word(field.name, key.name)) continue;
        // RFC 3501 6.4.4: an empty string asks whether there is such a field.
        if (key.wanted.empty() || fold(mail::decode_words(field.value)).find(key.wanted) != std::string::npos)
            return true;
    }
    return false;
}

bool Candidate::meets_sent(const SearchKey& key)
{
    auto value = mail::field_value(digest(), "Date");
    auto date = value ? mail::parse_date(*value) : std::nullopt;
    if (!date) return false;
    int64_t day = mail::day_of(*date) * 86400;
    if (key.kind == Kind::sent_before) return day < key.number;
    if (key.kind == Kind::sent_on) return day == key.number;
    return day >= key.number;
}

bool Candidate::meets_body(const SearchKey& key)
{
    if (raw().empty()) return false;
    if (!body_text_) body_text_ = searchable_body(raw());
    if (body_text_->find(key.wanted) != std::string::npos) return true;
    if (key.kind == Kind::body) return false;
    if (!header_text_) header_text_ = searchable_headers(raw());
    return header_text_->find(key.wanted) != std::string::npos;
}

} // namespace imapd
