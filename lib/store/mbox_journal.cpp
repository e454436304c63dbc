#include "store/mbox_journal.h"

#include "base/checksum.h"
#include "base/text.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

namespace store {

namespace {

constexpr size_t piece = 1 << 20;
constexpr size_t head_size = 128;       // text, filled up with spaces

void sync(int fd, const std::string& name)
{
    if (::fsync(fd) != 0) throw base::SystemError("fsync " + name);
}

uint64_t size_of(int fd, const std::string& name)
{
    struct stat info{};
    if (::fstat(fd, &info) != 0) throw base::SystemError("stat " + name);
    return static_cast<uint64_t>(info.st_size);
}

// act(bytes) over [from, to) of a file; false when it ends before.
template <class Act> bool each_piece(int fd, uint64_t from, uint64_t to, const std::string& name, Act act)
{
    std::vector<char> buffer(piece);
    while (from < to) {
        size_t want = static_cast<size_t>(std::min<uint64_t>(piece, to - from));
        size_t got = base::pread_some(fd, std::span(buffer.data(), want), static_cast<off_t>(from), name);
        if (got == 0) return false;
        act(std::string_view(buffer.data(), got), from);
        from += got;
    }
    return true;
}

} // namespace

MboxJournal::MboxJournal(std::string path, const base::Fd& file, std::string file_name)
    : path_(std::move(path)), file_(file), name_(std::move(file_name))
{
}

uint32_t MboxJournal::crc_of(uint64_t from, uint64_t to)
{
    uint32_t crc = 0;
    each_piece(file_.get(), from, to, name_, [&](std::string_view bytes, uint64_t) { crc = base::crc32(bytes, crc); });
    return crc;
}

void MboxJournal::move_down(uint64_t from, uint64_t to)
{
    uint64_t end = size_of(file_.get(), name_);
    each_piece(file_.get(), from, end, name_, [&](std::string_view bytes, uint64_t at) {
        base::pwrite_all(file_.get(), bytes, static_cast<off_t>(at - from + to), name_);
    });
    if (::ftruncate(file_.get(), static_cast<off_t>(to + (end - from))) != 0) throw base::SystemError("truncate " + name_);
}

void MboxJournal::apply(const base::Fd& journal, const Head& head)
{
    // The room first: a full disk must be noticed while nothing is changed, and the size tells a later recovery what happened.
    uint64_t size = size_of(file_.get(), name_);
    if (size < head.new_size) {
        int code = ::posix_fallocate(file_.get(), static_cast<off_t>(size), static_cast<off_t>(head.new_size - size));
        if (code != 0) {
            if (::ftruncate(file_.get(), static_cast<off_t>(size)) == 0) ::unlink(path_.c_str());
            throw base::SystemError("extend " + name_, code);
        }
    }
    each_piece(journal.get(), head_size, head_size + head.new_size - head.offset, path_, [&](std::string_view bytes, uint64_t at) {
        base::pwrite_all(file_.get(), bytes, static_cast<off_t>(head.offset + at - head_size), name_);
    });
    sync(file_.get(), name_);
    // What other programs appended after a crash of ours lies behind both sizes: it moves along.
    uint64_t border = std::max(head.old_size, head.new_size);
    if (border > head.new_size) move_down(border, head.new_size);
    sync(file_.get(), name_);
    if (::unlink(path_.c_str()) != 0) throw base::SystemError("remove " + path_);
}

bool MboxJournal::recover()
{
    if (!base::exists(path_)) return false;
    base::Fd journal = base::open_file(path_, O_RDONLY | O_NOFOLLOW);
    std::string text(head_size, '\0');
    text.resize(base::pread_some(journal.get(), text, 0, path_));
    std::vector<std::string_view> words = base::split(text, " \n");
    auto number = [&](size_t i) { return i < words.size() ? base::number<uint64_t>(words[i]).value_or(0) : 0; };
    Head head{number(1), number(2), number(3), static_cast<uint32_t>(number(4)), static_cast<uint32_t>(number(5))};
    bool whole = words.size() == 6 && words[0] == "mbox-journal" && head.offset <= head.new_size && head.offset <= head.old_size;
    uint32_t crc = 0;
    whole = whole && each_piece(journal.get(), head_size, head_size + head.new_size - head.offset, path_,
                                [&](std::string_view bytes, uint64_t) { crc = base::crc32(bytes, crc); });
    uint64_t size = size_of(file_.get(), name_);
    bool started = false;
    if (whole && crc == head.new_crc && size >= std::min(head.old_size, head.new_size)) {
        started = size < head.old_size || crc_of(head.offset, head.old_size) != head.old_crc;
        if (!started && size >= head.new_size && head.new_size > head.old_size) {
            // Enlarged, but nothing written yet: the new room is still empty.
            bool empty = true;
            each_piece(file_.get(), head.old_size, head.new_size, name_, [&](std::string_view bytes, uint64_t) {
                empty = empty && bytes.find_first_not_of('\0') == std::string_view::npos;
            });
            started = empty;
        }
    }
    if (!started) {
        ::unlink(path_.c_str());
        return false;
    }
    // Cut already: the writing was done, and what is behind came later.
    if (size < head.old_size && head.new_size < head.old_size) {
        ::unlink(path_.c_str());
        return false;
    }
    apply(journal, head);
    return true;
}

void MboxJournal::replace_tail(uint64_t offset, const std::function<void(const std::function<void(std::string_view)>& put)>& produce)
{
    base::Fd journal = base::open_file(path_, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
    Head head{};
    try {
        std::string buffer(head_size, ' ');
        uint64_t length = 0;
        uint32_t crc = 0;
        produce([&](std::string_view bytes) {
            crc = base::crc32(bytes, crc);
            length += bytes.size();
            buffer += bytes;
            if (buffer.size() < piece) return;
            base::write_all(journal.get(), buffer, path_);
            buffer.clear();
        });
        base::write_all(journal.get(), buffer, path_);
        uint64_t size = size_of(file_.get(), name_);
        head = {offset, size, offset + length, crc_of(offset, size), crc};
        sync(journal.get(), path_);
        // The head makes the journal valid: it comes when everything else is on disk.
        base::pwrite_all(journal.get(), fmt::format("mbox-journal {} {} {} {} {}", head.offset, head.old_size, head.new_size, head.old_crc, head.new_crc),
                         0, path_);
        sync(journal.get(), path_);
        base::sync_folder(path_.substr(0, path_.rfind('/') + 1));
    } catch (...) {
        ::unlink(path_.c_str());
        throw;
    }
    apply(journal, head);
}

} // namespace store
