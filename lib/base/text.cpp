#include "base/text.h"

#include <algorithm>

namespace base {

std::string lower(std::string_view text)
{
    std::string out(text);
    for (char& c : out) c = lower(c);
    return out;
}

std::string upper(std::string_view text)
{
    std::string out(text);
    for (char& c : out) c = upper(c);
    return out;
}

bool same_word(std::string_view a, std::string_view b)
{
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

bool starts_with_word(std::string_view text, std::string_view prefix)
{
    return text.size() >= prefix.size() && same_word(text.substr(0, prefix.size()), prefix);
}

bool ends_with_word(std::string_view text, std::string_view suffix)
{
    return text.size() >= suffix.size() && same_word(text.substr(text.size() - suffix.size()), suffix);
}

size_t find_word(std::string_view text, std::string_view word, size_t from)
{
    if (from > text.size()) return std::string_view::npos;
    auto found = std::search(text.begin() + static_cast<std::ptrdiff_t>(from), text.end(), word.begin(), word.end(),
                             [](char x, char y) { return lower(x) == lower(y); });
    return found == text.end() && !word.empty() ? std::string_view::npos : static_cast<size_t>(found - text.begin());
}

std::string_view trim_left(std::string_view text)
{
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    return text;
}

std::string_view trim_right(std::string_view text)
{
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

std::string_view trim(std::string_view text) { return trim_right(trim_left(text)); }

std::vector<std::string_view> split(std::string_view text, std::string_view separators)
{
    std::vector<std::string_view> pieces;
    while (true) {
        auto start = text.find_first_not_of(separators);
        if (start == std::string_view::npos) return pieces;
        text.remove_prefix(start);
        auto end = std::min(text.find_first_of(separators), text.size());
        pieces.push_back(text.substr(0, end));
        text.remove_prefix(end);
    }
}

std::vector<std::string_view> split_exact(std::string_view text, char separator)
{
    std::vector<std::string_view> pieces;
    while (true) {
        auto end = text.find(separator);
        pieces.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return pieces;
        text.remove_prefix(end + 1);
    }
}

Cut cut(std::string_view text, char separator)
{
    auto at = text.find(separator);
    if (at == std::string_view::npos) return {text, {}, false};
    return {text.substr(0, at), text.substr(at + 1), true};
}

Cut cut_last(std::string_view text, char separator)
{
    auto at = text.rfind(separator);
    if (at == std::string_view::npos) return {text, {}, false};
    return {text.substr(0, at), text.substr(at + 1), true};
}

std::string join(const std::vector<std::string>& pieces, std::string_view glue)
{
    std::string out;
    for (const auto& piece : pieces) {
        if (&piece != &pieces.front()) out += glue;
        out += piece;
    }
    return out;
}

std::string replace_all(std::string_view text, std::string_view what, std::string_view with)
{
    std::string out;
    while (!what.empty()) {
        auto at = text.find(what);
        if (at == std::string_view::npos) break;
        out.append(text.substr(0, at)).append(with);
        text.remove_prefix(at + what.size());
    }
    return out.append(text);
}

bool is_ascii(std::string_view text)
{
    return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

namespace {

// Length of the UTF-8 sequence at the head of text (RFC 3629 4), or 0 when it is broken.
size_t utf8_sequence(std::string_view text)
{
    auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
    unsigned char first = byte(0);
    if (first < 0x80) return 1;
    size_t length = first >= 0xC2 && first <= 0xDF ? 2 : (first & 0xF0) == 0xE0 ? 3 : first >= 0xF0 && first <= 0xF4 ? 4 : 0;
    if (length == 0 || text.size() < length) return 0;
    for (size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xC0) != 0x80) return 0;
    unsigned char second = byte(1);
    bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
    bool surrogate = first == 0xED && second > 0x9F;
    bool too_large = first == 0xF4 && second > 0x8F;
    return overlong || surrogate || too_large ? 0 : length;
}

} // namespace

bool is_utf8(std::string_view text)
{
    while (!text.empty()) {
        size_t length = utf8_sequence(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

std::string_view clip(std::string_view text, size_t limit)
{
    text = text.substr(0, text.find_first_of("\r\n"));
    if (text.size() <= limit) return text;
    size_t end = limit;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    return text.substr(0, end);
}

namespace {

// Is the character at the head of text one of C0, DEL or C1 (U+0080 to U+009F, which terminals obey too)?
bool is_control(std::string_view text)
{
    auto first = static_cast<unsigned char>(text[0]);
    if (first == 0xC2 && text.size() > 1) return static_cast<unsigned char>(text[1]) < 0xA0;
    return first < 0x20 || first == 0x7f;
}

} // namespace

std::string printable(std::string_view text, size_t limit)
{
    std::string out;
    while (!text.empty() && out.size() < limit) {
        size_t length = utf8_sequence(text);
        if (length == 0 || is_control(text)) {
            out += '?';
            length = std::max<size_t>(length, 1);
        } else {
            out.append(text.substr(0, length));
        }
        text.remove_prefix(length);
    }
    return out;
}

} // namespace base
