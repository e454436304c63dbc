#include "passwd_file.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"

#include <fmt/format.h>

namespace auth {
namespace {

constexpr auto look_interval = std::chrono::seconds(1);
constexpr size_t largest_file = 256 << 20;
constexpr size_t most_problems = 20;
constexpr size_t extra_column = 7;

// Up to seven columns and the rest, which may itself contain colons.
std::vector<std::string_view> columns(std::string_view line)
{
    std::vector<std::string_view> found;
    while (found.size() < extra_column) {
        auto [before, after, more] = base::cut(line, ':');
        found.push_back(before);
        if (!more) return found;
        line = after;
    }
    found.push_back(line);
    return found;
}

template <class Id> bool read_id(std::string_view text, std::optional<Id>& id)
{
    text = base::trim(text);
    if (text.empty()) return true;
    id = base::number<Id>(text);
    return id.has_value();
}

// What is wrong with the line; "" when it was understood.
std::string read_user(std::string_view line, FileUser& user)
{
    auto column = columns(line);
    user.name = column[0];
    if (column.size() < 2) return "expected user:password, and more columns if you like";
    if (user.name.empty()) return "expected a user's name before the first colon";
    user.password = column[1];
    if (column.size() > 2 && !read_id(column[2], user.uid))
        return fmt::format("expected a number in the third column (uid), not \"{}\"", base::printable(column[2], 40));
    if (column.size() > 3 && !read_id(column[3], user.gid))
        return fmt::format("expected a number in the fourth column (gid), not \"{}\"", base::printable(column[3], 40));
    if (column.size() > 5) user.home = column[5];
    if (column.size() <= extra_column) return "";
    for (auto field : base::split(column[extra_column], " \t")) {
        auto [key, value, found] = base::cut(field, '=');
        user.extra[std::string(key)] = found ? std::string(value) : "yes";
    }
    return "";
}

} // namespace

PasswdEntries parse_passwd(std::string_view text, const std::string& file)
{
    PasswdEntries entries;
    size_t number = 0;
    while (!text.empty()) {
        auto [line, rest, more] = base::cut(text, '\n');
        text = rest;
        ++number;
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (base::trim(line).empty() || line.front() == '#') continue;
        FileUser user;
        std::string problem = line.find('\0') != std::string_view::npos ? "a NUL byte" : read_user(line, user);
        if (problem.empty() && entries.users.contains(user.name))
            problem = fmt::format("\"{}\" stands above already; the first line counts", base::printable(user.name, 80));
        if (problem.empty())
            entries.users.emplace(user.name, std::move(user));
        else if (entries.problems.size() < most_problems)
            entries.problems.push_back(fmt::format("{}:{}: {}", file, number, problem));
    }
    return entries;
}

bool PasswdFile::Stamp::operator==(const Stamp& other) const
{
    auto same = [](const timespec& a, const timespec& b) { return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec; };
    return inode == other.inode && size == other.size && error == other.error && same(modified, other.modified) &&
           same(changed, other.changed);
}

const FileUser* PasswdFile::find(const std::string& name)
{
    if (!looked_ || base::steady_now() - last_look_ >= look_interval) look();
    auto found = entries_.users.find(name);
    return found == entries_.users.end() ? nullptr : &found->second;
}

void PasswdFile::look()
{
    last_look_ = base::steady_now();
    struct stat info {};
    Stamp now;
    if (::stat(path_.c_str(), &info) == 0) {
        now.inode = info.st_ino;
        now.size = info.st_size;
        now.modified = info.st_mtim;
        now.changed = info.st_ctim;
    } else {
        now.error = errno;
    }
    if (looked_ && now == stamp_) return;
    looked_ = true;
    stamp_ = now;
    load();
}

void PasswdFile::load()
{
    try {
        std::string text = base::read_file(path_, largest_file);
        entries_ = parse_passwd(text, path_);
        loaded_ = true;
    } catch (const std::exception& failure) {
        base::log::warning("users of {} {}: {}", path_, loaded_ ? "stay as they were" : "are unknown", failure.what());
        return;
    }
    for (const auto& problem : entries_.problems) base::log::warning("{}; the line is left out", problem);
    example_.clear();
    for (const auto& [name, user] : entries_.users) {
        if (user.password.empty()) continue;
        if (example_.size() < user.password.size()) example_ = user.password;
    }
}

} // namespace auth
