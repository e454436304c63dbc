#include "base/error.h"

#include <system_error>

namespace base {

std::string error_text(int code) { return std::generic_category().message(code); }

SystemError::SystemError(const std::string& what, int code) : std::runtime_error(what + ": " + error_text(code)), code_(code) {}

} // namespace base
