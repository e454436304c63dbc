#include "store/maildir_store.h"

#include "store/maildir_append.h"
#include "store/names.h"
#include "store/subscriptions.h"
#include "base/random.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>

namespace store {

namespace {

bool is_folder(const std::string& path)
{
    struct stat info{};
    return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

bool rename_path(const std::string& from, const std::string& to)
{
    if (::rename(from.c_str(), to.c_str()) == 0) return true;
    if (errno == ENOENT || errno == ENOTEMPTY || errno == EEXIST) return false;
    throw base::SystemError("rename " + from + " to " + to);
}

bool is_below(std::string_view name, std::string_view above)
{
    return name.size() > above.size() && name.substr(0, above.size()) == above && name[above.size()] == '.';
}

} // namespace

Status status_of(Mailbox& mailbox, StatusAlso also)
{
    Status status;
    for (const Message& message : mailbox.messages()) {
        ++status.messages;
        if (message.flags & flag::recent) ++status.recent;
        if (!(message.flags & flag::seen)) ++status.unseen;
        if (message.flags & flag::deleted) ++status.deleted;
        if (also.size) status.size += mailbox.size(message.uid).value_or(0);
    }
    status.uid_validity = mailbox.uid_validity();
    status.uid_next = mailbox.uid_next();
    if (also.highest_modseq) {
        mailbox.history().follow(mailbox);
        status.highest_modseq = mailbox.history().highest();
    }
    return status;
}

MaildirStore::MaildirStore(Location location) : location_(std::move(location))
{
    make_maildir(location_.root);
    if (location_.inbox.empty()) location_.inbox = location_.root;
    else make_maildir(location_.inbox);
}

std::optional<std::string> MaildirStore::path_of(std::string_view name) const
{
    if (is_inbox(name)) return location_.inbox;
    std::optional<std::string> folder = maildir_folder_name(name, location_.utf8_names);
    if (!folder) return std::nullopt;
    return fmt::format("{}/{}", location_.root, *folder);
}

std::optional<std::string> MaildirStore::existing(std::string_view name) const
{
    std::optional<std::string> path = path_of(name);
    if (!path || !is_folder(*path)) return std::nullopt;
    for (const char* part : {"cur", "new", "tmp"})
        if (!is_folder(fmt::format("{}/{}", *path, part))) {
            make_maildir(*path);
            break;
        }
    return path;
}

std::vector<std::string> MaildirStore::names_on_disk() const
{
    std::vector<std::string> names;
    std::error_code code;
    for (std::filesystem::directory_iterator entry(location_.root, code), end; !code && entry != end; entry.increment(code)) {
        std::string file = entry->path().filename().string();
        std::optional<std::string> name = name_of_maildir_folder(file, location_.utf8_names);
        std::error_code ignored;
        if (name && !is_inbox(*name) && entry->is_directory(ignored)) names.push_back(std::move(*name));
    }
    if (code) throw base::SystemError("read " + location_.root, code.value());
    std::sort(names.begin(), names.end());
    return names;
}

std::vector<Folder> MaildirStore::list()
{
    std::map<std::string, Folder> all;
    for (const std::string& name : names_on_disk()) {
        all[name] = {name, true, all[name].has_children, true};
        for (std::string_view above = parent_of(name, '.'); !above.empty(); above = parent_of(above, '.')) {
            Folder& parent = all.try_emplace(std::string(above), Folder{std::string(above), false, true, true}).first->second;
            parent.has_children = true;
        }
    }
    std::vector<Folder> folders{{"INBOX", true, false, true}};
    for (auto& [name, folder] : all) {
        if (is_inbox(name)) folders.front().has_children = true;
        else folders.push_back(std::move(folder));
    }
    return folders;
}

bool MaildirStore::exists(std::string_view name)
{
    std::optional<std::string> path = path_of(name);
    return path && is_folder(*path);
}

Answer MaildirStore::create(std::string_view name)
{
    std::optional<std::string> path = path_of(name);
    if (!path) return Answer::bad_name;
    if (is_folder(*path)) return Answer::exists;
    // A folder that a crash leaves half made is a folder: existing() completes it.
    if (::mkdir(path->c_str(), 0700) != 0) {
        if (errno == EEXIST) return Answer::exists;
        throw base::SystemError("mkdir " + *path);
    }
    make_maildir(*path);
    base::open_file(*path + "/maildirfolder", O_WRONLY | O_CREAT, 0600);
    return Answer::done;
}

Answer MaildirStore::remove(std::string_view name)
{
    if (is_inbox(name)) return Answer::forbidden;
    std::optional<std::string> path = path_of(name);
    if (!path) return Answer::bad_name;
    if (!is_folder(*path)) return Answer::missing;
    // Out of sight in one step, then piece by piece. Two dots: no program takes it for a folder.
    std::string away = fmt::format("{}/..rookpost-removed.{}", location_.root, base::random_token(12));
    if (!rename_path(*path, away)) return Answer::missing;
    std::error_code code;
    std::filesystem::remove_all(away, code);
    return Answer::done;
}

Answer MaildirStore::rename(std::string_view from, std::string_view to)
{
    std::optional<std::string> source = path_of(from), target = path_of(to);
    if (!source || !target) return Answer::bad_name;
    if (is_inbox(to)) return Answer::exists;
    if (is_inbox(from)) return empty_inbox_into(to);
    if (is_below(to, from)) return Answer::forbidden;
    std::vector<std::string> names = names_on_disk();
    bool below = std::any_of(names.begin(), names.end(), [&](const std::string& name) { return is_below(name, from); });
    if (!is_folder(*source) && !below) return Answer::missing;
    if (is_folder(*target)) return Answer::exists;
    std::vector<std::pair<std::string, std::string>> moves;
    for (const std::string& name : names) {
        if (name != from && !is_below(name, from)) continue;
        std::optional<std::string> moved = path_of(std::string(to) + name.substr(from.size()));
        if (!moved) return Answer::bad_name;
        if (is_folder(*moved)) return Answer::exists;
        moves.emplace_back(*path_of(name), *moved);
    }
    for (const auto& [old_path, new_path] : moves) rename_path(old_path, new_path);
    return Answer::done;
}

// RFC 9051 6.3.6: renaming INBOX moves all its messages to a new folder and leaves INBOX empty.
Answer MaildirStore::empty_inbox_into(std::string_view to)
{
    Answer answer = create(to);
    if (answer != Answer::done) return answer;
    MaildirMailbox inbox(location_.inbox, location_.root, Access::read_write);
    std::vector<uint32_t> uids;
    for (const Message& message : inbox.messages()) uids.push_back(message.uid);
    CopyResult copied = copy_to_maildir(inbox, uids, *path_of(to), location_.root);
    std::vector<uint32_t> moved;
    for (const Copied& one : copied.uids) moved.push_back(one.from);
    inbox.expunge(moved);
    return Answer::done;
}

std::vector<std::string> MaildirStore::subscriptions()
{
    return read_subscriptions(location_.root + "/subscriptions", '.', location_.utf8_names);
}

Answer MaildirStore::subscribe(std::string_view name, bool on)
{
    if (is_inbox(name)) name = "INBOX";
    if (!path_of(name)) return Answer::bad_name;
    bool changed = change_subscription(location_.root + "/subscriptions", name, on, '.', location_.utf8_names);
    return changed || on ? Answer::done : Answer::missing;
}

std::unique_ptr<Mailbox> MaildirStore::open(std::string_view name, Access access)
{
    std::optional<std::string> path = existing(name);
    if (!path) return nullptr;
    return std::make_unique<MaildirMailbox>(*path, location_.root, access);
}

std::optional<Status> MaildirStore::status(std::string_view name, StatusAlso also)
{
    std::unique_ptr<Mailbox> mailbox = open(name, Access::read_only);
    if (!mailbox) return std::nullopt;
    return status_of(*mailbox, also);
}

std::unique_ptr<NewMessage> MaildirStore::append(std::string_view name)
{
    std::optional<std::string> path = existing(name);
    if (!path) return nullptr;
    return append_to_maildir(*path, location_.root);
}

std::optional<Store::CopyResult> MaildirStore::copy(Mailbox& from, std::span<const uint32_t> uids, std::string_view to)
{
    std::optional<std::string> path = existing(to);
    if (!path) return std::nullopt;
    return copy_to_maildir(from, uids, *path, location_.root);
}

} // namespace store
