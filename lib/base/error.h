// error: the exceptions that the floors above share.
#pragma once

#include <cerrno>
#include <stdexcept>
#include <string>

namespace base {

// The operating system refused: what was tried, on what, and errno.
class SystemError : public std::runtime_error {
public:
    explicit SystemError(const std::string& what, int code = errno);
    int code() const { return code_; }
    bool no_space() const { return code_ == ENOSPC || code_ == EDQUOT || code_ == EFBIG; }

private:
    int code_;
};

std::string error_text(int code);   // strerror, safe in threads

} // namespace base
