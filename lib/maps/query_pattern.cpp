// query_pattern: parsing and filling in.
#include "maps/query_pattern.h"

#include "base/text.h"

#include <fmt/format.h>

#include <stdexcept>

namespace maps {

namespace {

// s: all; u: the local part, or all of what is no address; d: the domain; 1 to 9: its labels, from the right.
std::optional<std::string_view> part_of(std::string_view text, char letter)
{
    if (letter == 's') return text;
    auto address = base::cut_last(text, '@');
    if (letter == 'u') {
        if (!address.found) return text;
        if (address.before.empty()) return std::nullopt;
        return address.before;
    }
    if (!address.found || address.after.empty()) return std::nullopt;
    if (letter == 'd') return address.after;
    auto labels = base::split(address.after, ".");
    auto wanted = static_cast<size_t>(letter - '0');
    if (wanted > labels.size()) return std::nullopt;
    return labels[labels.size() - wanted];
}

} // namespace

QueryPattern::QueryPattern(std::string_view text)
{
    constexpr std::string_view letters = "sudSUD123456789";
    Piece plain;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            plain.text += text[i];
            continue;
        }
        char letter = ++i < text.size() ? text[i] : '\0';
        if (letter == '%') {
            plain.text += '%';
            continue;
        }
        if (letter == '\0' || letters.find(letter) == letters.npos)
            throw std::runtime_error(fmt::format("\"%{}\" in \"{}\": expected one of %s %u %d %S %U %D %1 to %9 %%", letter ? std::string(1, letter) : "", text));
        if (!plain.text.empty()) pieces_.push_back(std::move(plain));
        plain = {};
        pieces_.push_back({letter, {}});
    }
    if (!plain.text.empty()) pieces_.push_back(std::move(plain));
}

std::optional<std::string> QueryPattern::fill(std::string_view value, std::string_view key, const Quote& quote) const
{
    std::string filled;
    for (const Piece& piece : pieces_) {
        if (piece.letter == 0) {
            filled += piece.text;
            continue;
        }
        bool of_value = piece.letter >= 'a';
        auto part = part_of(of_value ? value : key, base::lower(piece.letter));
        if (!part) return std::nullopt;
        filled += quote ? quote(*part) : std::string(*part);
    }
    return filled;
}

} // namespace maps
