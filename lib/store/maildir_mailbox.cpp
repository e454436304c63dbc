#include "store/maildir_mailbox.h"

#include "store/line_ends.h"
#include "store/maildir_name.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

namespace store {
namespace {

constexpr int most_looks = 20;      // for a file that others rename meanwhile

} // namespace

MaildirMailbox::MaildirMailbox(std::string folder, std::string root, Access access)
    : folder_(std::move(folder)), root_(std::move(root)), access_(access), list_(folder_, root_), keywords_(folder_)
{
    if (access_ == Access::read_write) remove_old_temporaries();
    refresh();
    if (access_ == Access::read_write && unclaimed_.size() > 100 + messages_.size() / 4) compress_list();
}

std::string MaildirMailbox::path_of(const File& file) const
{
    return fmt::format("{}/{}/{}", folder_, file.is_new ? "new" : "cur", file.name);
}

std::optional<Flags> MaildirMailbox::keyword(std::string_view name, bool create)
{
    std::optional<size_t> index = keywords_.find(name);
    if (!index && create && access_ == Access::read_write) index = keywords_.add(name);
    if (!index) return std::nullopt;
    return flag::keyword(*index);
}

// Runs act(path) -> errno or 0. When the file has another name by now, looks for it; others may rename it as fast as we look.
template <class Act> int MaildirMailbox::with_file(size_t index, Act act)
{
    int code = act(path_of(files_[index]));
    for (int tries = 0; code == ENOENT && tries < most_looks; ++tries) {
        std::string before = path_of(files_[index]);
        bool quiet = relocate({index});
        if (quiet && path_of(files_[index]) == before) return ENOENT;
        code = act(path_of(files_[index]));
    }
    return code;
}

std::optional<Content> MaildirMailbox::content(uint32_t uid)
{
    std::optional<size_t> index = index_of(uid);
    if (!index) return std::nullopt;
    base::Fd fd;
    int code = with_file(*index, [&](const std::string& path) {
        fd = base::Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
        return fd ? 0 : errno;
    });
    if (code == ENOENT) return std::nullopt;
    if (code != 0) throw base::SystemError("open " + path_of(files_[*index]), code);
    return Content(fd, path_of(files_[*index]));
}

std::optional<uint64_t> MaildirMailbox::size(uint32_t uid)
{
    std::optional<size_t> index = index_of(uid);
    if (!index) return std::nullopt;
    if (std::optional<uint64_t> told = parse_maildir_name(files_[*index].name).crlf_size) return told;
    if (auto known = notes().find_number(uid, Notes::Kind::size)) return static_cast<uint64_t>(*known);
    std::optional<Content> bytes = content(uid);
    if (!bytes) return std::nullopt;
    uint64_t octets = store::crlf_size(bytes->raw());
    notes().add_number(uid, Notes::Kind::size, static_cast<int64_t>(octets));
    return octets;
}

std::optional<uint64_t> MaildirMailbox::quick_size(uint32_t uid)
{
    std::optional<size_t> index = index_of(uid);
    if (!index) return std::nullopt;
    MaildirName name = parse_maildir_name(files_[*index].name);
    if (name.crlf_size) return name.crlf_size;
    if (name.size) return name.size;
    struct stat info{};
    int code = with_file(*index, [&](const std::string& path) { return ::stat(path.c_str(), &info) == 0 ? 0 : errno; });
    if (code == ENOENT) return std::nullopt;
    if (code != 0) throw base::SystemError("stat " + path_of(files_[*index]), code);
    return static_cast<uint64_t>(info.st_size);
}

std::optional<std::time_t> MaildirMailbox::date(uint32_t uid)
{
    std::optional<size_t> index = index_of(uid);
    if (!index) return std::nullopt;
    if (auto known = notes().find_number(uid, Notes::Kind::date)) return *known;
    struct stat info{};
    int code = with_file(*index, [&](const std::string& path) { return ::stat(path.c_str(), &info) == 0 ? 0 : errno; });
    if (code == ENOENT) return std::nullopt;
    if (code != 0) throw base::SystemError("stat " + path_of(files_[*index]), code);
    notes().add_number(uid, Notes::Kind::date, info.st_mtim.tv_sec);
    return info.st_mtim.tv_sec;
}

int MaildirMailbox::link_to(uint32_t uid, const std::string& path, std::string& sizes)
{
    std::optional<size_t> index = index_of(uid);
    if (!index) return ENOENT;
    std::string_view base = maildir_base(files_[*index].name);
    size_t comma = base.find(",S=");
    sizes = comma == std::string_view::npos ? std::string() : std::string(base.substr(comma));
    return with_file(*index, [&](const std::string& from) { return ::link(from.c_str(), path.c_str()) == 0 ? 0 : errno; });
}

bool MaildirMailbox::change_one(size_t index, FlagChange change, Flags flags, std::vector<uint32_t>& changed)
{
    File& file = files_[index];
    MaildirName name = parse_maildir_name(file.name);
    Flags wanted = change == FlagChange::replace ? flags : change == FlagChange::add ? name.flags | flags : name.flags & ~flags;
    if (wanted != name.flags || file.is_new) {
        File renamed{std::string(name.base) + maildir_info(wanted, name.foreign), false};
        std::string from = path_of(file), to = path_of(renamed);
        if (::rename(from.c_str(), to.c_str()) != 0) {
            if (errno == ENOENT) return false;
            throw base::SystemError("rename " + from + " to " + to);
        }
        file = std::move(renamed);
    }
    Message& message = messages_[index];
    wanted |= message.flags & flag::recent;
    if (message.flags != wanted) changed.push_back(message.uid);
    message.flags = wanted;
    return true;
}

std::vector<uint32_t> MaildirMailbox::set_flags(std::span<const uint32_t> uids, FlagChange change, Flags flags)
{
    flags &= ~flag::recent;
    std::vector<uint32_t> changed;
    std::vector<size_t> lost;
    for (uint32_t uid : uids) {
        std::optional<size_t> index = index_of(uid);
        if (index && !change_one(*index, change, flags, changed)) lost.push_back(*index);
    }
    // Somebody renamed them: our change applies to what the flags are now. What is gone, refresh() will tell.
    for (int tries = 0; !lost.empty() && tries < most_looks; ++tries) {
        bool quiet = relocate(lost);
        std::erase_if(lost, [&](size_t index) { return change_one(index, change, flags, changed); });
        if (quiet && tries > 0) break;
    }
    std::sort(changed.begin(), changed.end());
    return changed;
}

std::vector<uint32_t> MaildirMailbox::expunge(std::span<const uint32_t> uids)
{
    auto remove = [](const std::string& path) { return ::unlink(path.c_str()) == 0 ? 0 : errno; };
    std::vector<char> gone(messages_.size());
    std::vector<size_t> lost;
    for (uint32_t uid : uids) {
        std::optional<size_t> index = index_of(uid);
        if (!index) continue;
        int code = remove(path_of(files_[*index]));
        if (code == ENOENT) lost.push_back(*index);
        else if (code != 0) throw base::SystemError("remove " + path_of(files_[*index]), code);
        gone[*index] = 1;
    }
    for (int tries = 0; !lost.empty() && tries < most_looks; ++tries) {
        bool quiet = relocate(lost);
        std::erase_if(lost, [&](size_t index) { return remove(path_of(files_[index])) == 0; });
        if (quiet && tries > 0) break;
    }
    Changes changes;
    drop(gone, changes);
    return changes.expunged;
}

std::optional<std::string> MaildirMailbox::kept_pop3_id(uint32_t uid)
{
    if (!pop3_ids_) {
        // Ids that another POP3 server gave and Dovecot kept: programs that leave mail on the server know them.
        pop3_ids_.emplace();
        UidListFile list(folder_, root_);
        for (const UidRecord& record : list.read().records)
            if (auto id = extra_field(record.extra, 'P'); id && !id->empty()) (*pop3_ids_)[record.base] = *id;
    }
    std::optional<size_t> index = index_of(uid);
    if (index && !pop3_ids_->empty()) {
        auto known = pop3_ids_->find(std::string(maildir_base(files_[*index].name)));
        if (known != pop3_ids_->end()) return known->second;
    }
    return std::nullopt;
}

std::string MaildirMailbox::file_name(uint32_t uid)
{
    std::optional<size_t> index = index_of(uid);
    return index ? std::string(maildir_base(files_[*index].name)) : std::string();
}

bool MaildirMailbox::lock_for_pop3()
{
    if (!pop3_lock_) pop3_lock_ = try_flock(folder_ + "/dovecot-pop3-session.lock");
    return pop3_lock_.has_value();
}

} // namespace store
