// values: how the text of a parameter becomes a value. Each answers nothing when the text is no such value.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace config {

std::optional<bool> to_flag(std::string_view text); // yes or no
std::optional<int64_t> to_number(std::string_view text);
// "10", "10s", "5m", "2h", "1d", "1w"; without a letter the unit is default_unit.
std::optional<std::chrono::milliseconds> to_seconds(std::string_view text, char default_unit = 's');
// The unit of a default such as "5d" or "${stress?{10}:{300}}s"; s when it has none.
char time_unit(std::string_view initial);
// Pieces between commas and white space; what stands inside { } stays in one piece.
std::vector<std::string> to_list(std::string_view text);
// "3", "3.6", "3.6.1" as a number that can be compared.
std::optional<int64_t> to_level(std::string_view text);

} // namespace config
