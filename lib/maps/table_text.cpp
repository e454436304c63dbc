// table_text: the grammar of postmap's source files.
#include "maps/table_text.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace maps {

namespace {

// Where the key ends: at the first white space outside of quotes, a backslash protects any byte. Nothing when a quote stays open.
std::optional<size_t> key_end(std::string_view text)
{
    bool quoted = false;
    size_t at = 0;
    for (; at < text.size(); ++at) {
        char c = text[at];
        if (c == '\\') {
            if (++at == text.size()) break;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (!quoted && base::is_space(c)) {
            break;
        }
    }
    if (quoted) return std::nullopt;
    return std::min(at, text.size());
}

} // namespace

ParsedText parse_table(std::string_view text)
{
    ParsedText parsed;
    LogicalLines lines(text);
    LogicalLine line;
    auto warn = [&](std::string what) { parsed.warnings.push_back({line.first, std::move(what)}); };
    while (lines.next(line)) {
        std::string_view rest = base::trim(line.text);
        auto end = key_end(rest);
        if (!end) {
            warn(fmt::format("unbalanced '\"' in '{}' -- ignoring this line", base::printable(rest, 200)));
            continue;
        }
        std::string_view key = rest.substr(0, *end);
        std::string_view value = base::trim(rest.substr(*end));
        if (key.empty() || value.empty()) {
            warn("expected format: key whitespace value");
            continue;
        }
        if (key.back() == ':') warn("record is in \"key: value\" format; is this an alias file?");
        parsed.entries.push_back({std::string(key), std::string(value), line.first});
    }
    return parsed;
}

std::optional<KeyValue> split_equals(std::string_view text)
{
    auto cut = base::cut(text, '=');
    KeyValue result{base::trim(cut.before), base::trim(cut.after)};
    if (!cut.found || result.key.empty() || result.value.empty()) return std::nullopt;
    return result;
}

std::string_view without_braces(std::string_view text)
{
    text = base::trim(text);
    if (text.size() >= 2 && text.front() == '{' && text.back() == '}') text = base::trim(text.substr(1, text.size() - 2));
    return text;
}

std::optional<std::vector<std::string>> split_braces(std::string_view text)
{
    text = base::trim(text);
    if (text.size() < 2 || text.front() != '{' || text.back() != '}') return std::nullopt;
    text = text.substr(1, text.size() - 2);
    std::vector<std::string> members;
    std::string member;
    int depth = 0;
    for (char c : text) {
        if (depth == 0 && (c == ',' || base::is_space(c))) {
            if (!member.empty()) members.push_back(std::move(member));
            member.clear();
            continue;
        }
        if (c == '{') ++depth;
        if (c == '}' && --depth < 0) return std::nullopt;
        member += c;
    }
    if (depth != 0) return std::nullopt;
    if (!member.empty()) members.push_back(std::move(member));
    return members;
}

} // namespace maps
