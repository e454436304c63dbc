// table_text: the grammar of postmap's source files, "key whitespace value". Pure; nothing is read from disk here.
#pragma once

#include "maps/text_lines.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace maps {

struct Entry {
    std::string key, value;
    int line = 0;
    bool operator==(const Entry&) const = default;
};

struct ParsedText {
    std::vector<Entry> entries;   // in the file's order, duplicates included
    std::vector<TextWarning> warnings;
};

ParsedText parse_table(std::string_view text);

// "key value" or, with equals, "key = value" (inline:); nothing when one of them is missing.
struct KeyValue {
    std::string_view key, value;
};
std::optional<KeyValue> split_equals(std::string_view text);

// The members of "{ {a}, {b c}, d }": split at commas and white space outside of braces, outer braces of the whole taken off.
// Nothing when braces do not match.
std::optional<std::vector<std::string>> split_braces(std::string_view text);
// Takes the braces off "{ text }", and the white space inside; other text is returned as it is.
std::string_view without_braces(std::string_view text);

} // namespace maps
