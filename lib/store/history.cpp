#include "store/history.h"

#include "store/store.h"
#include "base/checksum.h"
#include "base/clock.h"
#include "base/text.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace store {

namespace {

constexpr std::string_view magic = "RPHIST1\n";
constexpr size_t record_size = 24, checked_size = 20;
constexpr size_t remembered = 5000;         // expunges, after a rewrite
constexpr uint64_t largest_file = 1 << 30;

void put(std::string& out, const void* value, size_t size) { out.append(static_cast<const char*>(value), size); }

template <class Number> Number get(std::string_view bytes, size_t at)
{
    Number value;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
}

std::string header_bytes(uint32_t uid_validity, uint64_t forgotten)
{
    std::string out(magic);
    uint32_t none = 0;
    put(out, &uid_validity, 4);
    put(out, &none, 4);
    put(out, &forgotten, 8);
    return out;
}

void put_record(std::string& out, const History::Record& record)
{
    size_t start = out.size();
    put(out, &record.uid, 4);
    put(out, &record.state, 4);
    put(out, &record.modseq, 8);
    put(out, &record.first_seen, 4);
    uint32_t check = base::crc32(std::string_view(out).substr(start));
    put(out, &check, 4);
}

std::optional<History::Record> get_record(std::string_view bytes)
{
    if (base::crc32(bytes.substr(0, checked_size)) != get<uint32_t>(bytes, checked_size)) return std::nullopt;
    return History::Record{get<uint32_t>(bytes, 0), get<uint32_t>(bytes, 4), get<uint64_t>(bytes, 8), get<uint32_t>(bytes, 16)};
}

// The flags in one word that means the same to every session: keywords by name, not by the bit they have here.
uint32_t state_of(const Mailbox& box, Flags flags)
{
    uint32_t state = flags & flag::system;
    if ((flags & flag::keywords) == 0) return state;
    std::vector<std::string> names = box.named(flags).keywords;
    for (std::string& name : names) name = base::lower(name);
    std::sort(names.begin(), names.end());
    uint32_t sum = names.empty() ? 0 : base::crc32(base::join(names, " "));
    return state | (sum << 8);
}

bool by_uid(const History::Record& a, const History::Record& b) { return a.uid < b.uid; }

} // namespace

const History::Record* History::find(uint32_t uid) const
{
    auto found = std::lower_bound(entries_.begin(), entries_.end(), Record{uid}, by_uid);
    return found != entries_.end() && found->uid == uid ? &*found : nullptr;
}

uint64_t History::modseq(uint32_t uid) const
{
    const Record* record = find(uid);
    return record ? record->modseq : 0;
}

std::optional<std::time_t> History::first_seen(uint32_t uid) const
{
    const Record* record = find(uid);
    if (!record) return std::nullopt;
    return record->first_seen;
}

std::optional<std::vector<uint32_t>> History::expunged_since(uint64_t modseq) const
{
    if (modseq < forgotten_) return std::nullopt;
    std::vector<uint32_t> uids;
    for (const Expunged& one : expunged_)
        if (one.modseq > modseq) uids.push_back(one.uid);
    std::sort(uids.begin(), uids.end());
    uids.erase(std::unique(uids.begin(), uids.end()), uids.end());
    return uids;
}

// A rewrite by another session may replace the file between open and lock: then it is the new one that counts.
void History::lock()
{
    constexpr int attempts = 100;
    for (int i = 0; i < attempts; ++i) {
        base::Fd file = base::open_file(path_, O_RDWR | O_CREAT, 0600);
        while (::flock(file.get(), LOCK_EX) != 0)
            if (errno != EINTR) throw base::SystemError("lock " + path_);
        struct stat opened{}, named{};
        if (::fstat(file.get(), &opened) == 0 && ::stat(path_.c_str(), &named) == 0 && opened.st_ino == named.st_ino) {
            lock_ = std::move(file);
            return;
        }
    }
    throw Trouble(Trouble::Kind::locked, path_ + " is replaced again and again");
}

void History::begin_anew(const Mailbox& box)
{
    entries_.clear();
    expunged_.clear();
    known_.clear();
    followed_ = false;
    read_ = 0;
    uid_validity_ = box.uid_validity();
    // What was before this file is not known.
    forgotten_ = std::max(highest_, static_cast<uint64_t>(base::wall_now().time_since_epoch() / std::chrono::milliseconds(1)));
    highest_ = forgotten_;
}

// What was added to the file since, or all of it when it is another.
void History::read_news(const Mailbox& box)
{
    struct stat info{};
    bool there = ::stat(path_.c_str(), &info) == 0 && info.st_size > 0;
    if (!there) {
        if (uid_validity_ != box.uid_validity()) begin_anew(box);
        return;
    }
    auto size = static_cast<uint64_t>(info.st_size);
    if (info.st_ino == inode_ && size == read_) return;
    base::Fd file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) {
        // Somebody else's, or just replaced: this session counts for itself.
        if (uid_validity_ != box.uid_validity()) begin_anew(box);
        return;
    }
    if (::fstat(file.get(), &info) != 0) throw base::SystemError("stat " + path_);
    size = std::min<uint64_t>(static_cast<uint64_t>(info.st_size), largest_file);
    if (info.st_ino != inode_ || size < read_) {
        inode_ = info.st_ino;
        read_ = 0;
    }
    std::string bytes(size - read_, '\0');
    bytes.resize(base::pread_some(file.get(), bytes, static_cast<off_t>(read_), path_));
    if (read_ > 0) {
        take(bytes);
        return;
    }
    bool ours = bytes.size() >= record_size && bytes.starts_with(magic) && get<uint32_t>(bytes, 8) == box.uid_validity();
    if (!ours) {
        begin_anew(box);
        return;
    }
    entries_.clear();
    expunged_.clear();
    uid_validity_ = box.uid_validity();
    forgotten_ = get<uint64_t>(bytes, 16);
    highest_ = std::max(highest_, forgotten_);
    read_ = record_size;
    take(std::string_view(bytes).substr(record_size));
}

// Up to the first record that is none: a crash may have torn it.
void History::take(std::string_view bytes)
{
    std::vector<Record> records;
    while (bytes.size() >= record_size) {
        std::optional<Record> record = get_record(bytes);
        if (!record) break;
        records.push_back(*record);
        bytes.remove_prefix(record_size);
        read_ += record_size;
    }
    apply(records);
}

void History::apply(const std::vector<Record>& records)
{
    for (const Record& record : records) {
        highest_ = std::max(highest_, record.modseq);
        if (record.state == gone) expunged_.push_back({record.modseq, record.uid});
        if (entries_.empty() || entries_.back().uid < record.uid) {
            if (record.state != gone) entries_.push_back(record);
            continue;
        }
        auto at = std::lower_bound(entries_.begin(), entries_.end(), record, by_uid);
        if (at->uid == record.uid) *at = record;
        else if (record.state != gone) entries_.insert(at, record);
    }
    std::erase_if(entries_, [](const Record& record) { return record.state == gone; });
}

std::vector<History::Record> History::differences(const Mailbox& box) const
{
    std::vector<Record> changed;
    auto entry = entries_.begin();
    // Another session may have noted a message that we have not seen yet: it is gone only when it was there before.
    auto judge_missing = [&](const Record& record) {
        bool was_there = followed_ ? std::binary_search(known_.begin(), known_.end(), record.uid) : record.uid < box.uid_next();
        if (was_there) changed.push_back({record.uid, gone, 0, 0});
    };
    auto now = static_cast<uint32_t>(base::unix_seconds(base::wall_now()));
    for (const Message& message : box.messages()) {
        for (; entry != entries_.end() && entry->uid < message.uid; ++entry) judge_missing(*entry);
        uint32_t state = state_of(box, message.flags);
        if (entry == entries_.end() || entry->uid != message.uid) {
            changed.push_back({message.uid, state, 0, now});
            continue;
        }
        if (entry->state != state) changed.push_back({message.uid, state, 0, entry->first_seen});
        ++entry;
    }
    for (; entry != entries_.end(); ++entry) judge_missing(*entry);
    return changed;
}

void History::follow(const Mailbox& box)
{
    read_news(box);
    std::vector<Record> changed = differences(box);
    if (!changed.empty()) {
        bool held = lock_.has_value(), writable = true;
        try {
            if (!held) lock();
            read_news(box);
        } catch (const base::SystemError&) {
            writable = false;
        }
        changed = differences(box);
        auto now = static_cast<uint64_t>(base::wall_now().time_since_epoch() / std::chrono::milliseconds(1));
        uint64_t modseq = std::max(now, highest_ + 1);
        for (Record& record : changed) record.modseq = modseq;
        apply(changed);
        if (writable && !changed.empty()) write(changed);
        if (!held) lock_.reset();
    }
    known_.clear();
    known_.reserve(box.messages().size());
    for (const Message& message : box.messages()) known_.push_back(message.uid);
    followed_ = true;
}

// The file is locked, and read up to its end or to where it is torn. What cannot be written, others will note when they see it.
void History::write(const std::vector<Record>& records)
{
    try {
        uint64_t kept = (entries_.size() + expunged_.size()) * record_size;
        if (read_ == 0 || read_ > 3 * kept + remembered * record_size || expunged_.size() > 4 * remembered) {
            rewrite();
            return;
        }
        if (::ftruncate(lock_->get(), static_cast<off_t>(read_)) != 0) throw base::SystemError("truncate " + path_);
        std::string bytes;
        bytes.reserve(records.size() * record_size);
        for (const Record& record : records) put_record(bytes, record);
        base::pwrite_all(lock_->get(), bytes, static_cast<off_t>(read_), path_);
        read_ += bytes.size();
    } catch (const base::SystemError&) {
        inode_ = 0;
    }
}

void History::rewrite()
{
    if (expunged_.size() > remembered) {
        auto keep_from = expunged_.end() - static_cast<std::ptrdiff_t>(remembered);
        forgotten_ = std::max(forgotten_, std::prev(keep_from)->modseq);
        expunged_.erase(expunged_.begin(), keep_from);
    }
    std::string bytes = header_bytes(uid_validity_, forgotten_);
    for (const Record& record : entries_) put_record(bytes, record);
    for (const Expunged& one : expunged_) put_record(bytes, {one.uid, gone, one.modseq, 0});
    base::replace_file(path_, bytes, 0600);
    struct stat info{};
    if (::stat(path_.c_str(), &info) == 0) inode_ = info.st_ino;
    read_ = bytes.size();
}

} // namespace store
