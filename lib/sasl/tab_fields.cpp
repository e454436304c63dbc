#include "sasl/tab_fields.h"

#include "base/text.h"

namespace sasl {
namespace {

struct Escape {
    char byte, letter;
};
constexpr Escape escapes[] = {{'\0', '0'}, {'\001', '1'}, {'\t', 't'}, {'\r', 'r'}, {'\n', 'n'}};

} // namespace

std::string tab_escape(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    for (char c : text) {
        char letter = 0;
        for (const auto& escape : escapes)
            if (escape.byte == c) letter = escape.letter;
        if (letter) {
            out += '\001';
            out += letter;
        } else {
            out += c;
        }
    }
    return out;
}

std::optional<std::string> tab_unescape(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\001') {
            out += text[i];
            continue;
        }
        if (++i == text.size()) return std::nullopt;
        const Escape* found = nullptr;
        for (const auto& escape : escapes)
            if (escape.letter == text[i]) found = &escape;
        if (!found) return std::nullopt;
        out += found->byte;
    }
    return out;
}

std::vector<std::string_view> tab_fields(std::string_view line) { return base::split_exact(line, '\t'); }

std::optional<std::string> tab_value(const std::vector<std::string_view>& fields, size_t from, std::string_view name)
{
    for (size_t i = from; i < fields.size(); ++i) {
        auto [key, value, found] = base::cut(fields[i], '=');
        if (found && key == name) return tab_unescape(value);
    }
    return std::nullopt;
}

bool tab_flag(const std::vector<std::string_view>& fields, size_t from, std::string_view name)
{
    for (size_t i = from; i < fields.size(); ++i)
        if (fields[i] == name) return true;
    return false;
}

} // namespace sasl
