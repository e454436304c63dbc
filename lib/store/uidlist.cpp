#include "store/uidlist.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace store {

namespace {

// "7 W1234 :name" of version 3; "7 name" of version 1.
std::optional<UidRecord> parse_record(std::string_view line)
{
    base::Cut first = base::cut(line, ' ');
    auto uid = base::number<uint32_t>(first.before);
    if (!uid || *uid == 0 || !first.found) return std::nullopt;
    std::string_view rest = first.after;
    UidRecord record{*uid, {}, {}};
    if (rest.empty()) return std::nullopt;
    if (rest[0] != ':') {
        size_t colon = rest.find(" :");
        if (colon != std::string_view::npos) {
            record.extra = base::trim(rest.substr(0, colon));
            rest.remove_prefix(colon + 1);
        }
    }
    if (rest[0] == ':') rest.remove_prefix(1);
    rest = rest.substr(0, rest.find(':'));
    if (!good_base(rest)) return std::nullopt;
    record.base = rest;
    return record;
}

bool parse_header(std::string_view line, UidList& list)
{
    std::vector<std::string_view> words = base::split(line, " ");
    if (words.size() < 3) return false;
    if (words[0] == "1") {
        auto validity = base::number<uint32_t>(words[1]), next = base::number<uint32_t>(words[2]);
        if (!validity || !next) return false;
        list.uid_validity = *validity;
        list.next_uid = std::max(*next, 1u);
        list.damaged = true;    // to be written as version 3
        return list.uid_validity != 0;
    }
    if (words[0] != "3") return false;
    for (std::string_view word : words.size() > 1 ? std::vector(words.begin() + 1, words.end()) : words) {
        auto value = base::number<uint32_t>(word.substr(1));
        if (word[0] == 'V') list.uid_validity = value.value_or(0);
        else if (word[0] == 'N') list.next_uid = std::max(value.value_or(1), 1u);
        else list.extra += (list.extra.empty() ? "" : " ") + std::string(word);
    }
    return list.uid_validity != 0;
}

} // namespace

bool good_base(std::string_view base)
{
    constexpr std::string_view breaking("/\0\r\n", 4);
    return !base.empty() && base[0] != '.' && base.size() <= 255 && base.find_first_of(breaking) == std::string_view::npos;
}

void parse_uid_records(std::string_view text, UidList& into, size_t* used)
{
    uint32_t last = into.records.empty() ? 0 : into.records.back().uid;
    size_t at = 0;
    for (size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n', at)) {
        std::optional<UidRecord> record = parse_record(text.substr(at, end - at));
        at = end + 1;
        if (!record || record->uid <= last) {
            into.damaged = true;
            continue;
        }
        last = record->uid;
        // No number is ever given twice, and there must be one left to give.
        into.next_uid = std::max(into.next_uid, last == UINT32_MAX ? last : last + 1);
        into.records.push_back(std::move(*record));
    }
    if (at < text.size()) into.damaged = true;
    if (used) *used = at;
}

UidList parse_uidlist(std::string_view text, size_t* used)
{
    UidList list;
    if (used) *used = 0;
    size_t end = text.find('\n');
    if (end == std::string_view::npos || !parse_header(text.substr(0, end), list)) {
        list = {};
        list.damaged = true;
        return list;
    }
    parse_uid_records(text.substr(end + 1), list, used);
    if (used) *used += end + 1;
    return list;
}

std::string uidlist_header(const UidList& list)
{
    return fmt::format("3 V{} N{}{}{}\n", list.uid_validity, list.next_uid, list.extra.empty() ? "" : " ", list.extra);
}

std::string uidlist_line(const UidRecord& record)
{
    return fmt::format("{} {}{}:{}\n", record.uid, record.extra, record.extra.empty() ? "" : " ", record.base);
}

std::string format_uidlist(const UidList& list)
{
    std::string text = uidlist_header(list);
    for (const UidRecord& record : list.records) text += uidlist_line(record);
    return text;
}

std::optional<std::string_view> extra_field(std::string_view extra, char key)
{
    for (std::string_view field : base::split(extra, " "))
        if (field[0] == key) return field.substr(1);
    return std::nullopt;
}

} // namespace store
