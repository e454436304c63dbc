#include "store/mbox_file.h"

#include "store/mbox_journal.h"
#include "store/mbox_writer.h"
#include "store/trouble.h"
#include "store/uidlist_file.h"
#include "base/text.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <deque>
#include <unordered_map>

namespace store {

namespace {

constexpr size_t piece = 1 << 20;
constexpr size_t largest_side = 256 << 20;
constexpr size_t largest_message = 1u << 30;

// One at a time among our own sessions: they number messages.
base::Fd lock_side(const std::string& folder)
{
    base::make_folders(folder, 0700);
    base::Fd fd = base::open_file(folder, O_RDONLY | O_DIRECTORY);
    LockPolicy policy;
    policy.methods = {LockMethod::flock};
    policy.attempts = 6000;
    policy.delay = base::Duration(5);
    lock_file(fd.get(), folder, policy);
    return fd;
}

std::string read_range(const base::Fd& file, uint64_t from, uint64_t to, const std::string& name)
{
    if (to - from > largest_message) throw base::SystemError("read " + name, EFBIG);
    std::string bytes(static_cast<size_t>(to - from), '\0');
    bytes.resize(base::pread_some(file.get(), bytes, static_cast<off_t>(from), name));
    return bytes;
}

} // namespace

MboxFile::MboxFile(std::string path, std::string side, std::string root, LockPolicy locks)
    : path_(std::move(path)), side_(std::move(side)), root_(std::move(root)), locks_(std::move(locks))
{
}

const MboxFile::Entry* MboxFile::find(uint32_t uid) const
{
    auto found = std::lower_bound(entries_.begin(), entries_.end(), uid, [](const Entry& entry, uint32_t wanted) { return entry.uid < wanted; });
    return found != entries_.end() && found->uid == uid ? &*found : nullptr;
}

bool MboxFile::load()
{
    // Locks always in this order: the mailbox, then the side folder.
    if (loaded_ && stamp_.same(stamp_of(path_))) return false;
    base::Fd file = open_mailbox_file(path_, O_RDONLY, {});
    if (file) lock_file(file.get(), path_, locks_, Share::read);
    if (base::exists(side_ + "/journal")) {
        file.reset();
        open_for_writing();
        return true;
    }
    base::Fd side = lock_side(side_);
    scan(file, stamp_of(path_));
    return true;
}

MboxFile::Session MboxFile::open_for_writing()
{
    Session session;
    LockPolicy policy = locks_;
    // A reader of /var/mail may have no right to make files there; the other locks hold.
    policy.dotlock_may_fail = true;
    bool dotlock = std::find(policy.methods.begin(), policy.methods.end(), LockMethod::dotlock) != policy.methods.end();
    if (base::exists(path_) && dotlock) session.dotlock.emplace(path_, policy);
    session.file = open_mailbox_file(path_, O_RDWR, {});
    if (session.file) lock_file(session.file.get(), path_, policy);
    base::Fd side = lock_side(side_);
    if (session.file) MboxJournal(side_ + "/journal", session.file, path_).recover();
    scan(session.file, stamp_of(path_));
    return session;
}

void MboxFile::scan(const base::Fd& file, const Stamp& stamp)
{
    MboxScan scan;
    if (file) {
        std::vector<char> buffer(piece);
        uint64_t offset = 0;
        while (size_t got = base::pread_some(file.get(), buffer, static_cast<off_t>(offset), path_)) {
            scan.feed(std::string_view(buffer.data(), got));
            offset += got;
        }
    }
    std::vector<MboxMessage> messages = scan.finish();
    if (!scan.valid()) throw Trouble(Trouble::Kind::impossible, path_ + " is not an mbox file: it does not begin with a \"From \" line");
    read_side();
    number(std::move(messages));
    stamp_ = stamp;
    loaded_ = true;
}

// The first look, or all numbers used up. Another server's numbers are taken over as far as they ascend.
void MboxFile::begin_numbers(const std::vector<MboxMessage>& messages)
{
    constexpr uint32_t highest_import = UINT32_MAX / 2;
    bool first = uid_validity_ == 0;
    known_.clear();
    uid_next_ = first_recent_ = 1;
    if (!first || messages.empty() || messages[0].uid_validity == 0 || messages[0].last_uid > highest_import) {
        uid_validity_ = new_uid_validity(root_);
        return;
    }
    uid_validity_ = messages[0].uid_validity;
    uint32_t last = 0;
    for (const MboxMessage& message : messages) {
        if (message.uid <= last || message.uid > highest_import) continue;
        last = message.uid;
        known_.emplace_back(message.uid, message.fingerprint);
    }
    uid_next_ = std::max(last, messages[0].last_uid) + 1;
}

// Gives each message the UID that its fingerprint had, or a new one.
void MboxFile::number(std::vector<MboxMessage> messages)
{
    if (uid_validity_ == 0 || uid_next_ > UINT32_MAX - 1 - messages.size()) begin_numbers(messages);
    std::unordered_map<uint64_t, std::deque<uint32_t>> by_fingerprint;
    for (const auto& [uid, fingerprint] : known_) by_fingerprint[fingerprint].push_back(uid);
    std::vector<Entry> entries;
    for (MboxMessage& message : messages) {
        if (message.internal) continue;
        std::deque<uint32_t>& uids = by_fingerprint[message.fingerprint];
        Entry entry;
        if (!uids.empty()) {
            entry.uid = uids.front();
            uids.pop_front();
        } else entry.uid = uid_next_++;
        entry.message = std::move(message);
        entries.push_back(std::move(entry));
    }
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.uid < b.uid; });
    std::vector<std::pair<uint32_t, uint64_t>> now;
    for (const Entry& entry : entries) now.emplace_back(entry.uid, entry.message.fingerprint);
    entries_ = std::move(entries);
    bool same = now == known_ && base::exists(side_ + "/uids");
    known_ = std::move(now);
    if (!same) write_side();
}

// "1 UIDVALIDITY next first-recent", then "uid fingerprint" for each message.
void MboxFile::read_side()
{
    known_.clear();
    uid_validity_ = 0;
    uid_next_ = first_recent_ = 1;
    if (!base::exists(side_ + "/uids")) return;
    std::string text = base::read_file(side_ + "/uids", largest_side);
    std::vector<std::string_view> lines = base::split(text, "\n");
    std::vector<std::string_view> head = lines.empty() ? lines : base::split(lines[0], " ");
    if (head.size() != 4 || head[0] != "1") return;
    uid_validity_ = base::number<uint32_t>(head[1]).value_or(0);
    uid_next_ = std::max(base::number<uint32_t>(head[2]).value_or(1), 1u);
    first_recent_ = base::number<uint32_t>(head[3]).value_or(1);
    for (size_t i = 1; i < lines.size(); ++i) {
        base::Cut cut = base::cut(lines[i], ' ');
        auto uid = base::number<uint32_t>(cut.before);
        auto fingerprint = base::number<uint64_t>(cut.after, 16);
        if (!uid || !fingerprint || *uid >= uid_next_ || (!known_.empty() && *uid <= known_.back().first)) continue;
        known_.emplace_back(*uid, *fingerprint);
    }
}

void MboxFile::write_side() const
{
    std::string text = fmt::format("1 {} {} {}\n", uid_validity_, uid_next_, first_recent_);
    for (const auto& [uid, fingerprint] : known_) text += fmt::format("{} {:x}\n", uid, fingerprint);
    base::replace_file(side_ + "/uids", text, 0600);
}

void MboxFile::take_recent()
{
    if (first_recent_ >= uid_next_) return;
    base::Fd side = lock_side(side_);
    uint32_t next = uid_next_;
    read_side();
    first_recent_ = std::max(first_recent_, next);
    write_side();
}

std::optional<std::string> MboxFile::content(uint32_t uid)
{
    base::Fd file;
    constexpr int attempts = 5;
    for (int attempt = 1;; ++attempt) {
        load();
        file = open_mailbox_file(path_, O_RDONLY, {});
        if (!file) return std::nullopt;
        lock_file(file.get(), path_, locks_, Share::read);
        Stamp now = stamp_of(path_);
        if (stamp_.inode == now.inode && stamp_.mtime == now.mtime && stamp_.size == now.size) break;
        file.reset();
        if (attempt == attempts) throw Trouble(Trouble::Kind::locked, path_ + " is being changed by another program");
    }
    const Entry* entry = find(uid);
    if (!entry) return std::nullopt;
    const MboxMessage& place = entry->message;
    return visible_message(read_range(file, place.header, place.body, path_), read_range(file, place.body, place.end, path_));
}

uint32_t MboxFile::uid_at(uint64_t start)
{
    load();
    for (const Entry& entry : entries_)
        if (entry.message.start == start) return entry.uid;
    return 0;
}

void MboxFile::apply(Session& session, const std::map<uint64_t, Edit>& edits)
{
    if (edits.empty()) return;
    std::vector<const MboxMessage*> order;
    for (const Entry& entry : entries_) order.push_back(&entry.message);
    std::sort(order.begin(), order.end(), [](const MboxMessage* a, const MboxMessage* b) { return a->start < b->start; });
    std::map<uint64_t, std::string> headers;
    bool in_place = true;
    for (const MboxMessage* message : order) {
        auto edit = edits.find(message->start);
        if (edit == edits.end()) continue;
        in_place = in_place && !edit->second.remove;
        if (edit->second.remove) continue;
        std::string before = read_range(session.file, message->header, message->body, path_);
        std::string& header = headers[message->start] = with_flag_headers(before, edit->second.flags, edit->second.keywords);
        in_place = in_place && header.size() == before.size();
    }
    if (in_place) {
        // Only letters of fixed-width fields change: whichever part of it a crash leaves is a valid header.
        for (const MboxMessage* message : order)
            if (auto header = headers.find(message->start); header != headers.end())
                base::pwrite_all(session.file.get(), header->second, static_cast<off_t>(message->header), path_);
    } else {
        base::Fd side = lock_side(side_);
        MboxJournal journal(side_ + "/journal", session.file, path_);
        uint64_t first = edits.begin()->first;
        journal.replace_tail(first, [&](const std::function<void(std::string_view)>& put) {
            for (const MboxMessage* message : order) {
                if (message->start < first) continue;
                auto edit = edits.find(message->start);
                if (edit != edits.end() && edit->second.remove) continue;
                auto header = headers.find(message->start);
                uint64_t from = message->start;
                if (header != headers.end()) {
                    put(read_range(session.file, message->start, message->header, path_));
                    put(header->second);
                    from = message->body;
                }
                for (; from < message->next; from = std::min<uint64_t>(from + piece, message->next))
                    put(read_range(session.file, from, std::min<uint64_t>(from + piece, message->next), path_));
            }
        });
    }
    base::Fd side = lock_side(side_);
    scan(session.file, stamp_of(path_));
    stamp_.settled = false;
}

} // namespace store
