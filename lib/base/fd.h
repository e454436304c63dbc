// fd: file descriptors with one owner, and the few file operations that keep mail safe. Errors are base::SystemError.
#pragma once

#include "base/error.h"

#include <sys/types.h>

#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace base {

// Owns a descriptor; closes it when it goes. Empty is -1.
class Fd {
public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept;
    ~Fd() { reset(); }

    int get() const { return fd_; }
    int release() { return std::exchange(fd_, -1); }
    void reset();
    explicit operator bool() const { return fd_ >= 0; }
    Fd duplicate() const;

private:
    int fd_ = -1;
};

Fd open_file(const std::string& path, int flags, mode_t mode = 0);              // O_CLOEXEC always
std::string read_file(const std::string& path, size_t limit = 256 << 20);       // throws when larger than limit
std::string read_all(int fd, const std::string& name, size_t limit = 256 << 20);
void write_all(int fd, std::string_view bytes, const std::string& name);
void pwrite_all(int fd, std::string_view bytes, off_t offset, const std::string& name);
// Up to size bytes at offset; shorter only at the end of the file.
size_t pread_some(int fd, std::span<char> into, off_t offset, const std::string& name);

// Atomic replacement: a temporary file beside path, synced, renamed over it, and the folder synced.
void replace_file(const std::string& path, std::string_view bytes, mode_t mode);
void sync_folder(const std::string& folder);
void make_folders(const std::string& path, mode_t mode);                        // as mkdir -p
bool exists(const std::string& path);
void set_nonblocking(int fd);

} // namespace base
