#include "store/uidlist_file.h"

#include "base/random.h"
#include "base/text.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ctime>

namespace store {

namespace {

constexpr size_t largest_list = 512 << 20;
constexpr mode_t list_mode = 0600;

std::string read_from(int fd, off_t offset, const std::string& path)
{
    struct stat info{};
    if (::fstat(fd, &info) != 0) throw base::SystemError("stat " + path);
    if (static_cast<size_t>(info.st_size) > largest_list) throw base::SystemError("read " + path, EFBIG);
    std::string text(static_cast<size_t>(std::max<off_t>(info.st_size - offset, 0)), '\0');
    text.resize(base::pread_some(fd, text, offset, path));
    return text;
}

base::Fd open_list(const std::string& path)
{
    try {
        return base::open_file(path, O_RDONLY);
    } catch (const base::SystemError& error) {
        if (error.code() == ENOENT) return {};
        throw;
    }
}

} // namespace

uint32_t new_uid_validity(const std::string& root)
{
    // Dovecot's counter: eight hexadecimal digits, and a file whose name repeats them.
    std::string path = root + "/dovecot-uidvalidity";
    DotLock lock = lock_beside(path);
    uint32_t last = 0;
    if (base::exists(path)) last = base::number<uint32_t>(base::trim(base::read_file(path, 100)), 16).value_or(0);
    uint32_t next = std::max(static_cast<uint32_t>(std::time(nullptr)), last + 1);
    base::replace_file(path, fmt::format("{:08x}", next), list_mode);
    std::string twin = fmt::format("{}.{:08x}", path, next);
    if (::rename(fmt::format("{}.{:08x}", path, last).c_str(), twin.c_str()) != 0) base::open_file(twin, O_WRONLY | O_CREAT, list_mode);
    return next;
}

UidListFile::UidListFile(std::string folder, std::string root)
    : folder_(std::move(folder)), root_(std::move(root)), path_(folder_ + "/dovecot-uidlist")
{
}

bool UidListFile::changed() const { return !stamp_.same(stamp_of(path_)); }

UidList UidListFile::load()
{
    Stamp stamp = stamp_of(path_);
    base::Fd fd = open_list(path_);
    UidList list;
    size_t used = 0;
    if (fd) list = parse_uidlist(read_from(fd.get(), 0, path_), &used);
    struct stat info{};
    if (fd && ::fstat(fd.get(), &info) == 0 && info.st_ino != stamp.inode) stamp.settled = false, stamp.inode = info.st_ino;
    stamp_ = stamp;
    offset_ = used;
    uid_validity_ = list.uid_validity;
    next_uid_ = list.next_uid;
    damaged_ = list.damaged || list.uid_validity == 0;
    return list;
}

UidListFile::News UidListFile::read(bool whole)
{
    Stamp stamp = stamp_of(path_);
    bool grown = !whole && stamp_.inode != 0 && stamp.inode == stamp_.inode && !damaged_ && stamp.size >= static_cast<off_t>(offset_);
    base::Fd fd;
    if (grown) fd = open_list(path_);
    struct stat info{};
    if (!fd || ::fstat(fd.get(), &info) != 0 || info.st_ino != stamp.inode) return {true, load().records};
    UidList tail;
    tail.next_uid = next_uid_;
    size_t used = 0;
    parse_uid_records(read_from(fd.get(), static_cast<off_t>(offset_), path_), tail, &used);
    // A UID below those already read: this is not the file we know.
    if (!tail.records.empty() && tail.records.front().uid < next_uid_) {
        UidList list = load();
        return {true, std::move(list.records)};
    }
    stamp_ = stamp;
    offset_ += used;
    next_uid_ = tail.next_uid;
    damaged_ = tail.damaged;
    if (damaged_) stamp_.settled = false;
    return {false, std::move(tail.records)};
}

void UidListFile::read_ends()
{
    constexpr off_t piece = 4096;
    base::Fd fd = open_list(path_);
    struct stat info{};
    if (!fd || ::fstat(fd.get(), &info) != 0 || info.st_size <= 4 * piece) {
        load();
        return;
    }
    std::string head(piece, '\0'), tail(piece, '\0');
    head.resize(base::pread_some(fd.get(), head, 0, path_));
    tail.resize(base::pread_some(fd.get(), tail, info.st_size - piece, path_));
    size_t head_end = head.find('\n'), tail_start = tail.find('\n');
    UidList list;
    if (head_end != std::string::npos) list = parse_uidlist(std::string_view(head).substr(0, head_end + 1));
    if (tail_start != std::string::npos) parse_uid_records(std::string_view(tail).substr(tail_start + 1), list);
    if (list.uid_validity == 0 || list.damaged || list.records.empty()) {
        load();
        return;
    }
    stamp_ = {};
    uid_validity_ = list.uid_validity;
    next_uid_ = list.next_uid;
    damaged_ = false;
}

void UidListFile::replace(const UidList& list)
{
    std::string text = format_uidlist(list);
    base::replace_file(path_, text, list_mode);
    stamp_ = stamp_of(path_);
    stamp_.settled = false;
    offset_ = text.size();
    uid_validity_ = list.uid_validity;
    next_uid_ = list.next_uid;
    damaged_ = false;
}

std::vector<uint32_t> UidListFile::assign(const FolderLock&, const std::vector<std::string>& bases)
{
    UidList list;
    bool whole = damaged_ || uid_validity_ == 0;
    if (whole) list = load();
    if (uid_validity_ == 0 || next_uid_ > last_uid - bases.size()) {
        // The numbers are lost or used up: everything is numbered anew.
        list = {};
        list.uid_validity = new_uid_validity(root_);
        list.extra = "G" + base::to_hex(base::random_bytes(16));
        next_uid_ = 1;
        whole = true;
    }
    std::vector<uint32_t> uids;
    std::string lines;
    for (const std::string& name : bases) {
        UidRecord record{next_uid_++, name, {}};
        uids.push_back(record.uid);
        if (whole) list.records.push_back(std::move(record));
        else lines += uidlist_line(record);
    }
    if (whole) {
        list.next_uid = next_uid_;
        replace(list);
        return uids;
    }
    if (bases.empty()) return uids;
    base::Fd fd = base::open_file(path_, O_WRONLY | O_APPEND);
    base::write_all(fd.get(), lines, path_);
    // RFC 9051 2.3.1.1: a UID that a client has seen is never given to another message, also not after a power cut.
    if (::fdatasync(fd.get()) != 0) throw base::SystemError("fdatasync " + path_);
    if (stamp_.inode != 0) offset_ += lines.size();
    stamp_.settled = false;
    return uids;
}

void UidListFile::compress(const FolderLock&, const std::function<bool(const UidRecord&)>& keep)
{
    UidList list = load();
    if (uid_validity_ == 0) return;
    std::erase_if(list.records, [&](const UidRecord& record) { return !keep(record); });
    replace(list);
}

} // namespace store
