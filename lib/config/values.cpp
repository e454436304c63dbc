#include "config/values.h"

#include "base/text.h"

#include <limits>

namespace config {

std::optional<bool> to_flag(std::string_view text)
{
    if (base::same_word(text, "yes")) return true;
    if (base::same_word(text, "no")) return false;
    return std::nullopt;
}

std::optional<int64_t> to_number(std::string_view text)
{
    if (text.size() > 1 && text[0] == '+' && base::is_digit(text[1])) text.remove_prefix(1);
    return base::number<int64_t>(text);
}

static std::optional<int64_t> unit_seconds(char unit)
{
    switch (base::lower(unit)) {
    case 's': return 1;
    case 'm': return 60;
    case 'h': return 60 * 60;
    case 'd': return 24 * 60 * 60;
    case 'w': return 7 * 24 * 60 * 60;
    }
    return std::nullopt;
}

char time_unit(std::string_view initial)
{
    if (initial.empty() || initial.front() == '$') {
        auto brace = initial.rfind('}');
        if (brace == initial.npos || brace + 2 != initial.size()) return 's';
    }
    return unit_seconds(initial.back()) ? base::lower(initial.back()) : 's';
}

std::optional<std::chrono::milliseconds> to_seconds(std::string_view text, char default_unit)
{
    char unit = default_unit;
    if (!text.empty() && base::is_alpha(text.back())) {
        unit = text.back();
        text.remove_suffix(1);
    }
    auto seconds = unit_seconds(unit);
    auto count = base::number<int64_t>(text);
    if (!seconds || !count || *count < 0) return std::nullopt;
    // Postfix's times are C ints; what is longer is a slip of the pen, and would overflow sums of times.
    if (*count > std::numeric_limits<int32_t>::max() / *seconds) return std::nullopt;
    return std::chrono::seconds(*count * *seconds);
}

std::vector<std::string> to_list(std::string_view text)
{
    std::vector<std::string> pieces;
    std::string piece;
    int depth = 0;
    for (char c : text) {
        if (depth == 0 && (c == ',' || base::is_space(c))) {
            if (!piece.empty()) pieces.push_back(std::move(piece));
            piece.clear();
            continue;
        }
        if (c == '{') ++depth;
        if (c == '}' && depth > 0) --depth;
        piece += c;
    }
    if (!piece.empty()) pieces.push_back(std::move(piece));
    return pieces;
}

std::optional<int64_t> to_level(std::string_view text)
{
    auto parts = base::split_exact(text, '.');
    if (parts.size() > 3) return std::nullopt;
    int64_t level = 0;
    for (size_t i = 0; i < 3; ++i) {
        int64_t part = 0;
        if (i < parts.size()) {
            auto value = base::number<int32_t>(parts[i]);
            if (!value || *value < 0 || *value > 0xffff) return std::nullopt;
            part = *value;
        }
        level = level << 16 | part;
    }
    return level;
}

} // namespace config
