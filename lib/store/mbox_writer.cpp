#include "store/mbox_writer.h"

#include "store/trouble.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace store {

namespace {

constexpr size_t buffer_size = 64 << 10;
constexpr std::string_view from = "From ";

[[noreturn]] void refuse(Trouble::Kind kind, const std::string& path, std::string_view why)
{
    throw Trouble(kind, fmt::format("{} {}", path, why));
}

struct stat status_of(int fd, const std::string& path)
{
    struct stat info{};
    if (::fstat(fd, &info) != 0) throw base::SystemError("stat " + path);
    return info;
}

// Opens what is there; an empty Fd when nothing is.
base::Fd open_existing(const std::string& path, int flags)
{
    struct stat name{};
    if (::lstat(path.c_str(), &name) != 0) {
        if (errno == ENOENT) return {};
        throw base::SystemError("stat " + path);
    }
    bool link = S_ISLNK(name.st_mode);
    if (link && name.st_uid != 0) refuse(Trouble::Kind::unsafe, path, "is a symbolic link");
    // O_NONBLOCK: a FIFO put there must not hold us.
    base::Fd fd = base::open_file(path, flags | O_NONBLOCK | O_NOCTTY | (link ? 0 : O_NOFOLLOW));
    struct stat info = status_of(fd.get(), path);
    if (!link && (info.st_dev != name.st_dev || info.st_ino != name.st_ino))
        refuse(Trouble::Kind::unsafe, path, "was replaced while it was opened");
    return fd;
}

void check_safe(int fd, const std::string& path, const MboxPolicy& policy)
{
    struct stat info = status_of(fd, path);
    if (!S_ISREG(info.st_mode)) {
        if (policy.special_files && !S_ISDIR(info.st_mode)) return;
        refuse(Trouble::Kind::unsafe, path, "is not a regular file");
    }
    if (info.st_nlink > 1) refuse(Trouble::Kind::unsafe, path, fmt::format("has {} hard links", info.st_nlink));
    if (policy.owner && info.st_uid != *policy.owner) refuse(Trouble::Kind::not_owner, path, "is not owned by the recipient");
}

bool is_special(const std::string& path)
{
    struct stat info{};
    return ::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode);
}

bool wants_dotlock(const LockPolicy& policy)
{
    return std::find(policy.methods.begin(), policy.methods.end(), LockMethod::dotlock) != policy.methods.end();
}

} // namespace

std::string from_line(const std::string& sender, std::time_t date)
{
    std::string name = sender.empty() ? "MAILER-DAEMON" : sender;
    std::replace_if(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }, '_');
    std::tm local{};
    ::localtime_r(&date, &local);
    char text[64];
    std::strftime(text, sizeof text, "%a %b %e %H:%M:%S %Y", &local);
    return fmt::format("From {}  {}\n", name, text);
}

base::Fd open_mailbox_file(const std::string& path, int flags, const MboxPolicy& policy, bool* created)
{
    if (created) *created = false;
    base::Fd fd = open_existing(path, flags & ~O_CREAT);
    if (!fd && !(flags & O_CREAT)) return {};
    if (!fd) {
        fd = base::open_file(path, flags | O_CREAT | O_EXCL | O_NOFOLLOW, policy.create_mode);
        if (policy.owner && *policy.owner != ::geteuid() && ::fchown(fd.get(), *policy.owner, static_cast<gid_t>(-1)) != 0)
            throw base::SystemError("chown " + path);
        if (created) *created = true;
    }
    check_safe(fd.get(), path, policy);
    return fd;
}

MboxWriter::MboxWriter(std::string path, const std::string& sender, MboxPolicy policy, std::time_t date)
    : path_(std::move(path)), policy_(std::move(policy))
{
    if (wants_dotlock(policy_.lock) && !is_special(path_)) dotlock_.emplace(path_, policy_.lock);
    file_ = open_mailbox_file(path_, O_RDWR | O_APPEND | O_CREAT, policy_, &created_);
    regular_ = S_ISREG(status_of(file_.get(), path_).st_mode);
    if (regular_) {
        lock_file(file_.get(), path_, policy_.lock);
        struct stat opened = status_of(file_.get(), path_), named{};
        if (::stat(path_.c_str(), &named) != 0 || named.st_ino != opened.st_ino || named.st_dev != opened.st_dev)
            refuse(Trouble::Kind::locked, path_, "was replaced while it was being locked");
        start_ = opened.st_size;
        char last[2] = {'\n', '\n'};
        if (start_ > 1) base::pread_some(file_.get(), last, start_ - 2, path_);
        // Mail readers compare the times to see whether there is new mail: our look must not count as reading.
        const timespec times[2] = {opened.st_atim, {0, UTIME_OMIT}};
        ::futimens(file_.get(), times);
        check_size(0);
        // Whatever was there: the "From " line stands at the start of a line and after an empty one.
        if (last[1] != '\n') buffer_ += '\n';
        if (last[1] != '\n' || last[0] != '\n') buffer_ += '\n';
    }
    message_start_ = static_cast<uint64_t>(start_) + buffer_.size();
    buffer_ += from_line(sender, date);
}

MboxWriter::~MboxWriter()
{
    if (!committed_ && regular_ && file_ && written_ > 0 && ::ftruncate(file_.get(), start_) != 0) {
        // Nothing more can be done: the next delivery starts on a line of its own.
    }
}

void MboxWriter::check_size(uint64_t more) const
{
    if (regular_ && policy_.size_limit > 0 && static_cast<uint64_t>(start_) + written_ + more > policy_.size_limit)
        refuse(Trouble::Kind::too_large, path_, "would pass its size limit");
}

void MboxWriter::flush()
{
    check_size(buffer_.size());
    // Counted first: a write that fails half way must be cut off too.
    written_ += buffer_.size();
    base::write_all(file_.get(), buffer_, path_);
    buffer_.clear();
}

void MboxWriter::quote(std::string_view text)
{
    while (!text.empty()) {
        if (at_line_start_) {
            while (!text.empty() && line_start_.size() < from.size() && text[0] == from[line_start_.size()]) {
                line_start_ += text[0];
                text.remove_prefix(1);
            }
            bool quoted = line_start_.size() == from.size();
            if (!quoted && text.empty()) return;
            if (quoted) buffer_ += '>';
            buffer_ += line_start_;
            line_start_.clear();
            at_line_start_ = false;
        }
        size_t end = text.find('\n');
        at_line_start_ = end != std::string_view::npos;
        std::string_view line = text.substr(0, at_line_start_ ? end + 1 : text.size());
        buffer_ += line;
        text.remove_prefix(line.size());
    }
}

void MboxWriter::write(std::string_view chunk)
{
    while (!chunk.empty()) {
        std::string_view piece = chunk.substr(0, buffer_size);
        chunk.remove_prefix(piece.size());
        filtered_.clear();
        filter_.feed(piece, filtered_);
        quote(filtered_);
        if (buffer_.size() >= buffer_size) flush();
    }
}

void MboxWriter::commit()
{
    filtered_.clear();
    filter_.finish(filtered_);
    quote(filtered_);
    buffer_ += line_start_;
    if (!at_line_start_ || !line_start_.empty()) buffer_ += '\n';
    line_start_.clear();
    buffer_ += '\n';
    flush();
    if (regular_ && ::fsync(file_.get()) != 0) throw base::SystemError("fsync " + path_);
    if (created_) base::sync_folder(path_.substr(0, path_.rfind('/') + 1));
    committed_ = true;
    file_.reset();
    dotlock_.reset();
}

} // namespace store
