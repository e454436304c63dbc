#include "store/annotations.h"

#include "store/folder_lock.h"
#include "base/fd.h"
#include "base/text.h"

#include <fmt/format.h>

namespace store {

namespace {

constexpr size_t largest_file = 128 << 20;

bool is_or_below(std::string_view name, std::string_view above, char separator)
{
    return name.starts_with(above) && (name.size() == above.size() || name[above.size()] == separator);
}

} // namespace

Annotations::All Annotations::read() const
{
    All all;
    if (!base::exists(path_)) return all;
    std::string text = base::read_file(path_, largest_file);
    for (std::string_view line : base::split(text, "\n")) {
        auto mailbox = base::cut(line, '\t');
        auto entry = base::cut(mailbox.after, '\t');
        auto value = base::from_base64(entry.after);
        if (entry.found && value) all[{std::string(mailbox.before), std::string(entry.before)}] = std::move(*value);
    }
    return all;
}

void Annotations::write(const All& all) const
{
    std::string text;
    for (const auto& [key, value] : all) text += fmt::format("{}\t{}\t{}\n", key.first, key.second, base::to_base64(value));
    base::replace_file(path_, text, 0600);
}

Annotations::Entries Annotations::of(std::string_view mailbox) const
{
    Entries entries;
    for (auto& [key, value] : read())
        if (key.first == mailbox) entries.emplace(key.second, value);
    return entries;
}

std::map<std::string, std::string> Annotations::everywhere(std::string_view entry) const
{
    std::map<std::string, std::string> values;
    for (auto& [key, value] : read())
        if (key.second == entry) values.emplace(key.first, value);
    return values;
}

bool Annotations::change(std::string_view mailbox, const std::vector<Change>& changes)
{
    DotLock lock = lock_beside(path_);
    All all = read();
    for (const Change& one : changes) {
        std::pair key{std::string(mailbox), one.entry};
        if (one.value) all[key] = *one.value;
        else all.erase(key);
    }
    if (all.size() > most_entries) return false;
    write(all);
    return true;
}

void Annotations::follow(std::string_view from, std::optional<std::string_view> to, char separator)
{
    if (!base::exists(path_)) return;
    DotLock lock = lock_beside(path_);
    All all = read(), kept;
    for (auto& [key, value] : all) {
        bool concerned = !from.empty() && is_or_below(key.first, from, separator);
        // What lies below a mailbox that is deleted stays (RFC 3501 6.3.4).
        if (concerned && !to && key.first == from) continue;
        std::string mailbox = concerned && to ? std::string(*to) + key.first.substr(from.size()) : key.first;
        kept.emplace(std::pair{std::move(mailbox), key.second}, std::move(value));
    }
    if (kept != all) write(kept);
}

} // namespace store
