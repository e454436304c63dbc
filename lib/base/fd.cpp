#include "base/fd.h"

#include "base/random.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace base {

Fd& Fd::operator=(Fd&& other) noexcept
{
    if (this != &other) {
        reset();
        fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
}

void Fd::reset()
{
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

Fd Fd::duplicate() const
{
    int copy = ::fcntl(fd_, F_DUPFD_CLOEXEC, 3);
    if (copy < 0) throw SystemError("duplicate descriptor");
    return Fd(copy);
}

Fd open_file(const std::string& path, int flags, mode_t mode)
{
    int fd;
    do fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
    while (fd < 0 && errno == EINTR);
    if (fd < 0) throw SystemError("open " + path);
    return Fd(fd);
}

std::string read_all(int fd, const std::string& name, size_t limit)
{
    std::string bytes;
    struct stat info;
    if (::fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0) bytes.reserve(static_cast<size_t>(info.st_size) + 1);
    char buffer[65536];
    while (true) {
        ssize_t got = ::read(fd, buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw SystemError("read " + name);
        if (got == 0) return bytes;
        if (bytes.size() + static_cast<size_t>(got) > limit) throw SystemError("read " + name, EFBIG);
        bytes.append(buffer, static_cast<size_t>(got));
    }
}

std::string read_file(const std::string& path, size_t limit)
{
    Fd fd = open_file(path, O_RDONLY);
    return read_all(fd.get(), path, limit);
}

void write_all(int fd, std::string_view bytes, const std::string& name)
{
    while (!bytes.empty()) {
        ssize_t put = ::write(fd, bytes.data(), bytes.size());
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) throw SystemError("write " + name);
        bytes.remove_prefix(static_cast<size_t>(put));
    }
}

void pwrite_all(int fd, std::string_view bytes, off_t offset, const std::string& name)
{
    while (!bytes.empty()) {
        ssize_t put = ::pwrite(fd, bytes.data(), bytes.size(), offset);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) throw SystemError("write " + name);
        bytes.remove_prefix(static_cast<size_t>(put));
        offset += put;
    }
}

size_t pread_some(int fd, std::span<char> into, off_t offset, const std::string& name)
{
    size_t have = 0;
    while (have < into.size()) {
        ssize_t got = ::pread(fd, into.data() + have, into.size() - have, offset + static_cast<off_t>(have));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw SystemError("read " + name);
        if (got == 0) break;
        have += static_cast<size_t>(got);
    }
    return have;
}

void sync_folder(const std::string& folder)
{
    Fd fd = open_file(folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY);
    if (::fsync(fd.get()) != 0) throw SystemError("fsync " + folder);
}

void replace_file(const std::string& path, std::string_view bytes, mode_t mode)
{
    std::string temporary = fmt::format("{}.{}.tmp", path, random_token(8));
    try {
        Fd fd = open_file(temporary, O_WRONLY | O_CREAT | O_EXCL, mode);
        if (::fchmod(fd.get(), mode) != 0) throw SystemError("chmod " + temporary);
        write_all(fd.get(), bytes, temporary);
        if (::fsync(fd.get()) != 0) throw SystemError("fsync " + temporary);
        if (::rename(temporary.c_str(), path.c_str()) != 0) throw SystemError("rename " + temporary + " to " + path);
    } catch (...) {
        ::unlink(temporary.c_str());
        throw;
    }
    auto slash = path.rfind('/');
    sync_folder(slash == std::string::npos ? "." : path.substr(0, slash + 1));
}

void make_folders(const std::string& path, mode_t mode)
{
    for (size_t at = path.find('/', 1);; at = path.find('/', at + 1)) {
        std::string part = path.substr(0, at);
        if (::mkdir(part.c_str(), mode) != 0 && errno != EEXIST) {
            int code = errno;
            if (!exists(part)) throw SystemError("mkdir " + part, code);
        }
        if (at == std::string::npos) return;
    }
}

bool exists(const std::string& path)
{
    struct stat info;
    return ::stat(path.c_str(), &info) == 0;
}

void set_nonblocking(int fd)
{
    int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) throw SystemError("set non-blocking");
}

} // namespace base
