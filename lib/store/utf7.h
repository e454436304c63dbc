// utf7: modified UTF-7, RFC 3501 5.1.3: how IMAP4rev1 and folder names on disk write what is not ASCII.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace store {

std::string to_utf7(std::string_view utf8);                            // utf8 must be valid; broken bytes become U+FFFD
// Nothing when it is not the one right spelling: only such names survive the way there and back.
std::optional<std::string> from_utf7(std::string_view text);

} // namespace store
