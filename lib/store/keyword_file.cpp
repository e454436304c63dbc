#include "store/keyword_file.h"

#include "store/flags.h"
#include "store/folder_lock.h"
#include "base/fd.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace store {

bool good_keyword(std::string_view name)
{
    return !name.empty() && name.size() <= 100 && std::all_of(name.begin(), name.end(), [](char c) {
        return c > 0x20 && c < 0x7f && std::string_view("(){%*\"\\]").find(c) == std::string_view::npos;
    });
}

std::vector<std::string> parse_keywords(std::string_view text)
{
    std::vector<std::string> names;
    for (std::string_view line : base::split(text, "\r\n")) {
        base::Cut parts = base::cut(line, ' ');
        auto index = base::number<size_t>(parts.before);
        if (!index || *index >= flag::keyword_limit || !good_keyword(parts.after)) continue;
        if (names.size() <= *index) names.resize(*index + 1);
        names[*index] = parts.after;
    }
    return names;
}

std::string format_keywords(const std::vector<std::string>& names)
{
    std::string text;
    for (size_t i = 0; i < names.size(); ++i)
        if (!names[i].empty()) text += fmt::format("{} {}\n", i, names[i]);
    return text;
}

bool KeywordFile::reload()
{
    Stamp now = stamp_of(path_);
    if (stamp_.same(now)) return false;
    std::vector<std::string> names;
    if (now.inode != 0) names = parse_keywords(base::read_file(path_, 64 << 10));
    stamp_ = now;
    if (names == names_) return false;
    names_ = std::move(names);
    return true;
}

std::optional<size_t> KeywordFile::find(std::string_view name) const
{
    for (size_t i = 0; i < names_.size(); ++i)
        if (base::same_word(names_[i], name)) return i;
    return std::nullopt;
}

std::optional<size_t> KeywordFile::add(std::string_view name)
{
    if (std::optional<size_t> index = find(name)) return index;
    if (!good_keyword(name)) return std::nullopt;
    FolderLock lock(folder_, "dovecot-keywords");
    stamp_.settled = false;
    reload();
    if (std::optional<size_t> index = find(name)) return index;
    size_t free = static_cast<size_t>(std::find(names_.begin(), names_.end(), "") - names_.begin());
    if (free >= flag::keyword_limit) return std::nullopt;
    std::vector<std::string> names = names_;
    names.resize(std::max(names.size(), free + 1));
    names[free] = name;
    base::replace_file(path_, format_keywords(names), 0600);
    names_ = std::move(names);
    stamp_.settled = false;
    return free;
}

} // namespace store
