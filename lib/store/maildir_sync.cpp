#include "store/maildir_mailbox.h"

#include "store/maildir_name.h"
#include "base/text.h"

#include <fmt/format.h>

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <numeric>
#include <string_view>
#include <tuple>
#include <unordered_set>

namespace store {

namespace {

// Calls take(name) for each message file of a folder. A name that could not stand in the UID list is no message's.
template <class Take> void each_file(const std::string& folder, Take take)
{
    DIR* opened = ::opendir(folder.c_str());
    if (!opened) {
        if (errno == ENOENT) throw Trouble(Trouble::Kind::gone, folder + " is gone");
        throw base::SystemError("open " + folder);
    }
    std::unique_ptr<DIR, int (*)(DIR*)> directory(opened, ::closedir);
    while (true) {
        errno = 0;
        const dirent* entry = ::readdir(directory.get());
        if (!entry && errno != 0) throw base::SystemError("read " + folder);
        if (!entry) return;
        std::string_view name = entry->d_name;
        bool file = entry->d_type == DT_REG || entry->d_type == DT_UNKNOWN || entry->d_type == DT_LNK;
        if (file && good_base(maildir_base(name)) && name.find('\n') == std::string_view::npos) take(name);
    }
}

bool same_moment(const Stamp& a, const Stamp& b) { return a.inode == b.inode && a.mtime == b.mtime && a.ctime == b.ctime; }

// The number behind a letter of the name's middle part, "M364544P28864Q1"; 0 where there is none. Digits are not padded.
uint64_t number_behind(std::string_view middle, char letter)
{
    size_t at = middle.find(letter);
    if (at == std::string_view::npos) return 0;
    std::string_view digits = middle.substr(at + 1);
    return base::number<uint64_t>(digits.substr(0, digits.find_first_not_of("0123456789"))).value_or(0);
}

// Delivery order: seconds, microseconds and the deliverer's own count, as far as the name tells them; then the name.
bool older(std::string_view a, std::string_view b)
{
    auto order = [](std::string_view name) {
        auto cut = base::cut(name, '.');
        std::string_view middle = base::cut(cut.after, '.').before;
        return std::make_tuple(base::number<uint64_t>(cut.before).value_or(0), number_behind(middle, 'M'), number_behind(middle, 'Q'), name);
    };
    return order(a) < order(b);
}

} // namespace

MaildirMailbox::Scan MaildirMailbox::scan() const
{
    Scan found;
    found.new_stamp = stamp_of(folder_ + "/new");
    found.cur_stamp = stamp_of(folder_ + "/cur");
    found.files.reserve(files_.size() + 16);
    // new/ first: a file that moves to cur/ meanwhile is then seen twice rather than never.
    std::vector<File> fresh;
    each_file(folder_ + "/new", [&](std::string_view name) { fresh.push_back({std::string(name), true}); });
    each_file(folder_ + "/cur", [&](std::string_view name) { found.files.push_back({std::string(name), false}); });
    std::move(fresh.begin(), fresh.end(), std::back_inserter(found.files));
    found.quiet = same_moment(found.new_stamp, stamp_of(folder_ + "/new")) && same_moment(found.cur_stamp, stamp_of(folder_ + "/cur"));
    return found;
}

// Looks at the folder and brings flags and removals up to date; fresh gets the files that we do not know.
MaildirMailbox::Scan MaildirMailbox::match(std::vector<File>& fresh, Changes& changes)
{
    constexpr int attempts = 10;
    std::unordered_map<std::string_view, size_t> known;
    known.reserve(files_.size());
    for (size_t i = 0; i < files_.size(); ++i) known.emplace(maildir_base(files_[i].name), i);
    Scan found;
    std::vector<size_t> place;      // for each message: its file in found, plus 1
    for (int attempt = 1;; ++attempt) {
        found = scan();
        place.assign(files_.size(), 0);
        size_t present = 0;
        for (size_t at = 0; at < found.files.size(); ++at) {
            auto entry = known.find(maildir_base(found.files[at].name));
            if (entry == known.end() || place[entry->second] != 0) continue;
            place[entry->second] = at + 1;
            ++present;
        }
        // readdir may miss a file that is renamed meanwhile: nothing is gone before a second look says so.
        if (present == files_.size() || attempt == attempts || (attempt > 1 && found.quiet)) break;
    }
    std::unordered_set<std::string_view> seen;
    for (const File& file : found.files) {
        std::string_view base = maildir_base(file.name);
        if (!known.contains(base) && seen.insert(base).second) fresh.push_back(file);
    }
    std::vector<char> gone(files_.size());
    for (size_t i = 0; i < files_.size(); ++i) {
        gone[i] = place[i] == 0;
        if (gone[i]) continue;
        files_[i] = std::move(found.files[place[i] - 1]);
        Flags flags = parse_maildir_name(files_[i].name).flags | (messages_[i].flags & flag::recent);
        if (flags != messages_[i].flags) changes.flags.push_back(messages_[i].uid);
        messages_[i].flags = flags;
    }
    drop(gone, changes);
    return found;
}

Changes MaildirMailbox::refresh()
{
    Changes changes;
    changes.keywords = keywords_.reload();
    bool moved = !new_stamp_.same(stamp_of(folder_ + "/new")) || !cur_stamp_.same(stamp_of(folder_ + "/cur"));
    if (!moved && !list_.changed() && uid_validity_ != 0) return changes;
    std::vector<File> fresh;
    if (moved) {
        Scan found = match(fresh, changes);
        new_stamp_ = found.new_stamp;
        cur_stamp_ = found.cur_stamp;
    }
    resolve(std::move(fresh), changes);
    take_from_new();
    std::sort(changes.added.begin(), changes.added.end());
    std::sort(changes.expunged.begin(), changes.expunged.end());
    return changes;
}

bool MaildirMailbox::reopen()
{
    if (pop3_lock_) return false;
    // What was \Recent to the former session is so to no other, but for what still lies in new/.
    for (size_t i = 0; i < messages_.size(); ++i)
        if (access_ == Access::read_write || !files_[i].is_new) messages_[i].flags &= ~flag::recent;
    try {
        return !refresh().reset;
    } catch (const Trouble& trouble) {
        if (trouble.kind() == Trouble::Kind::gone) return false;
        throw;
    }
}

void MaildirMailbox::drop(const std::vector<char>& gone, Changes& changes, std::vector<File>* files)
{
    size_t keep = 0;
    for (size_t i = 0; i < messages_.size(); ++i) {
        if (gone[i]) {
            changes.expunged.push_back(messages_[i].uid);
            if (files) files->push_back(std::move(files_[i]));
            continue;
        }
        if (keep != i) {
            messages_[keep] = messages_[i];
            files_[keep] = std::move(files_[i]);
        }
        ++keep;
    }
    messages_.resize(keep);
    files_.resize(keep);
}

void MaildirMailbox::add(File file, uint32_t uid, Changes& changes)
{
    messages_.push_back({uid, parse_maildir_name(file.name).flags});
    if (file.is_new && access_ == Access::read_only) messages_.back().flags |= flag::recent;
    files_.push_back(std::move(file));
    changes.added.push_back(uid);
}

// What others wrote into the list. A message of ours that has another UID now goes to fresh, to come back under it.
void MaildirMailbox::take_news(std::vector<File>& fresh, Changes& changes)
{
    UidListFile::News news = list_.read(list_.uid_validity() != uid_validity_);
    bool renumbered = uid_validity_ != 0 && list_.uid_validity() != 0 && list_.uid_validity() != uid_validity_;
    if (list_.uid_validity() != 0) uid_validity_ = list_.uid_validity();
    if (renumbered) {
        changes.reset = true;
        highest_ = 0;
    }
    if (news.replaced) unclaimed_.clear();
    for (UidRecord& record : news.records) unclaimed_[std::move(record.base)] = record.uid;
    if (news.records.empty() && !news.replaced) return;
    std::vector<char> gone(messages_.size());
    for (size_t i = 0; i < messages_.size(); ++i) {
        auto record = unclaimed_.find(std::string(maildir_base(files_[i].name)));
        bool same = record != unclaimed_.end() && record->second == messages_[i].uid;
        gone[i] = renumbered || (record == unclaimed_.end() ? news.replaced : !same);
        if (same && !gone[i]) unclaimed_.erase(record);
    }
    drop(gone, changes, &fresh);
}

void MaildirMailbox::claim(std::vector<File>& fresh, Changes& changes)
{
    std::erase_if(fresh, [&](File& file) {
        auto record = unclaimed_.find(std::string(maildir_base(file.name)));
        if (record == unclaimed_.end()) return false;
        uint32_t uid = record->second;
        unclaimed_.erase(record);
        // RFC 9051 2.3.1.1: later arrivals have higher UIDs. A file that turns up again gets a new one.
        if (uid <= highest_) return false;
        add(std::move(file), uid, changes);
        return true;
    });
}

void MaildirMailbox::resolve(std::vector<File> fresh, Changes& changes)
{
    take_news(fresh, changes);
    claim(fresh, changes);
    if (!fresh.empty() || uid_validity_ == 0 || list_.uid_validity() == 0) {
        FolderLock lock = list_.lock();
        constexpr int rounds = 4;
        for (int round = 0; round < rounds; ++round) {
            take_news(fresh, changes);
            claim(fresh, changes);
            if (fresh.empty() && list_.uid_validity() != 0) break;
            std::sort(fresh.begin(), fresh.end(), [](const File& a, const File& b) { return older(a.name, b.name); });
            std::vector<std::string> bases;
            for (const File& file : fresh) bases.emplace_back(maildir_base(file.name));
            std::vector<uint32_t> uids = list_.assign(lock, bases);
            if (list_.uid_validity() != uid_validity_) continue;    // a new list: read it from the start
            for (size_t i = 0; i < fresh.size(); ++i) add(std::move(fresh[i]), uids[i], changes);
            fresh.clear();
            break;
        }
    }
    sort_messages();
}

void MaildirMailbox::sort_messages()
{
    auto by_uid = [](const Message& a, const Message& b) { return a.uid < b.uid; };
    if (!std::is_sorted(messages_.begin(), messages_.end(), by_uid)) {
        std::vector<size_t> order(messages_.size());
        std::iota(order.begin(), order.end(), size_t{0});
        std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return messages_[a].uid < messages_[b].uid; });
        std::vector<Message> messages;
        std::vector<File> files;
        for (size_t from : order) {
            messages.push_back(messages_[from]);
            files.push_back(std::move(files_[from]));
        }
        messages_ = std::move(messages);
        files_ = std::move(files);
    }
    if (!messages_.empty()) highest_ = std::max(highest_, messages_.back().uid);
}

// The session that moves a file from new/ to cur/ is the one to which it is \Recent.
void MaildirMailbox::take_from_new()
{
    if (access_ != Access::read_write) return;
    for (size_t i = 0; i < files_.size(); ++i) {
        if (!files_[i].is_new) continue;
        MaildirName name = parse_maildir_name(files_[i].name);
        File moved{std::string(name.base) + maildir_info(name.flags, name.foreign), false};
        if (::rename(path_of(files_[i]).c_str(), path_of(moved).c_str()) != 0) {
            // ENOENT: another session was first, the next look finds it. Others: it stays there, that does no harm.
            if (errno != ENOENT) messages_[i].flags |= flag::recent;
            continue;
        }
        files_[i] = std::move(moved);
        messages_[i].flags |= flag::recent;
    }
}

// Finds the present names of messages whose file is not where it was. False: files moved while we looked, so what was not found
// may be there all the same.
bool MaildirMailbox::relocate(const std::vector<size_t>& indexes)
{
    std::unordered_map<std::string, size_t> wanted;
    for (size_t index : indexes) wanted.emplace(maildir_base(files_[index].name), index);
    Scan seen = scan();
    for (File& file : seen.files) {
        auto entry = wanted.find(std::string(maildir_base(file.name)));
        if (entry == wanted.end()) continue;
        files_[entry->second] = std::move(file);
        wanted.erase(entry);
    }
    return seen.quiet;
}

// Records of files that are long gone make the list long.
void MaildirMailbox::compress_list()
{
    FolderLock lock = list_.lock();
    std::unordered_map<std::string, bool> present;
    for (const File& file : scan().files) present.emplace(maildir_base(file.name), true);
    list_.compress(lock, [&](const UidRecord& record) { return present.contains(record.base); });
    unclaimed_.clear();
}

// The Maildir paper: files in tmp/ that nobody touched for 36 hours are leftovers of a crash.
void MaildirMailbox::remove_old_temporaries() const
{
    std::string folder = folder_ + "/tmp";
    std::time_t before = std::time(nullptr) - 36 * 3600;
    each_file(folder, [&](std::string_view name) {
        std::string path = fmt::format("{}/{}", folder, name);
        struct stat info{};
        if (::lstat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && info.st_mtim.tv_sec < before && info.st_ctim.tv_sec < before)
            ::unlink(path.c_str());
    });
}

} // namespace store
