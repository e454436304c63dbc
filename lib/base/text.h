// text: small pure functions over text. Case rules are ASCII only: protocols and configuration never depend on the locale.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace base {

constexpr bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == '\f'; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_alnum(char c) { return is_alpha(c) || is_digit(c); }
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
constexpr char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

std::string lower(std::string_view text);
std::string upper(std::string_view text);
bool same_word(std::string_view a, std::string_view b);       // equal but for ASCII case
bool starts_with_word(std::string_view text, std::string_view prefix);
bool ends_with_word(std::string_view text, std::string_view suffix);
size_t find_word(std::string_view text, std::string_view word, size_t from = 0);   // npos when absent

std::string_view trim(std::string_view text);
std::string_view trim_left(std::string_view text);
std::string_view trim_right(std::string_view text);

// Pieces between any of the separators; empty pieces are left out. The views point into text.
std::vector<std::string_view> split(std::string_view text, std::string_view separators = " \t\r\n,");
// Pieces between single separators; empty pieces are kept.
std::vector<std::string_view> split_exact(std::string_view text, char separator);
// Cuts text at the first separator: {before, after}; after is empty and found false when there is none.
struct Cut {
    std::string_view before, after;
    bool found;
};
Cut cut(std::string_view text, char separator);
Cut cut_last(std::string_view text, char separator);

std::string join(const std::vector<std::string>& pieces, std::string_view glue);
std::string replace_all(std::string_view text, std::string_view what, std::string_view with);

// The whole of text as a decimal number; nothing for an empty text, other bytes, or overflow.
template <class Number> std::optional<Number> number(std::string_view text, int radix = 10)
{
    Number value{};
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, radix);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

bool is_ascii(std::string_view text);
bool is_utf8(std::string_view text);
// For log lines and replies: control characters and broken UTF-8 become '?', so that no peer can forge a line.
std::string printable(std::string_view text, size_t limit = 1000);
// The first line of an untrusted text, cut to limit bytes at a UTF-8 boundary.
std::string_view clip(std::string_view text, size_t limit);

std::string to_base64(std::string_view bytes);
std::optional<std::string> from_base64(std::string_view text);   // nothing when malformed; strict padding
std::string to_hex(std::string_view bytes);
std::optional<std::string> from_hex(std::string_view text);
// RFC 3461 4: xtext.
std::string to_xtext(std::string_view text);
std::optional<std::string> from_xtext(std::string_view text);

} // namespace base
