// charset: text in any character set that ICU knows (EUC-KR, CP949, ISO-2022-KR …) into UTF-8.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mail {

bool known_charset(std::string_view charset);
// Nothing when the character set is unknown. Broken sequences become U+FFFD. At most limit bytes come out.
std::optional<std::string> to_utf8(std::string_view bytes, std::string_view charset, size_t limit = 64 << 20);
// The best guess for bytes that name no character set: UTF-8 when valid, else CP949 when valid, else Latin-1
// (windows-1252).
std::string guess_to_utf8(std::string_view bytes);
// Nothing when the character set is unknown or can't say the text.
std::optional<std::string> from_utf8(std::string_view text, std::string_view charset);

} // namespace mail
