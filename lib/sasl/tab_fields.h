// tab_fields: lines of Dovecot's auth protocols: fields between tabs, with bytes that would disturb escaped by \001.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sasl {

inline constexpr size_t longest_auth_line = 16384;

std::string tab_escape(std::string_view text);
std::optional<std::string> tab_unescape(std::string_view text); // nothing for an unknown or cut escape

// The fields of a line, still escaped; empty ones are kept.
std::vector<std::string_view> tab_fields(std::string_view line);

// The unescaped value of "name=value" among fields[from…]; nothing when there is none.
std::optional<std::string> tab_value(const std::vector<std::string_view>& fields, size_t from, std::string_view name);
bool tab_flag(const std::vector<std::string_view>& fields, size_t from, std::string_view name);

} // namespace sasl
