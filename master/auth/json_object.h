// json_object: the members of one JSON object (RFC 8259), as far as tokens need them: text, numbers, and lists of text.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace auth {

struct JsonMember {
    enum Kind { text, number, list, other } kind = other;
    std::string value;               // text; number: as it is written
    std::vector<std::string> values; // list: those of its members that are text
};
using JsonObject = std::map<std::string, JsonMember>;

// Nothing when it is malformed, deeper than ten levels, or has a member twice.
std::optional<JsonObject> parse_json_object(std::string_view text);

} // namespace auth
