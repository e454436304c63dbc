// transfer: Content-Transfer-Encoding, both ways.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mail {

// 7bit, 8bit, binary and nothing as they are; base64 and quoted-printable decoded leniently. Nothing for an unknown
// encoding. Stops after limit bytes.
std::optional<std::string> decode_transfer(std::string_view body, std::string_view encoding, size_t limit = 256 << 20);
std::string decode_base64_lenient(std::string_view text, size_t limit = 256 << 20);
std::string decode_quoted_printable(std::string_view text, size_t limit = 256 << 20);

std::string encode_base64_lines(std::string_view bytes);    // lines of 76, CRLF
std::string encode_quoted_printable(std::string_view text); // CRLF or LF lines in, CRLF lines out

} // namespace mail
