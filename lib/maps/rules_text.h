// rules_text: the grammar that regexp, pcre and cidr tables share: "pattern result", "!pattern result", "if … endif". Pure.
#pragma once

#include "maps/text_lines.h"

#include <string>
#include <string_view>
#include <vector>

namespace maps {

struct Rule {
    enum class Kind { match, begin_if, end_if };
    Kind kind = Kind::match;
    bool negated = false;
    std::string pattern;        // without delimiters
    std::string flags;          // what follows the closing delimiter; empty for cidr
    std::string result;
    int line = 0;               // or the number of an inline rule
};

struct ParsedRules {
    std::vector<Rule> rules;    // every begin_if has its end_if
    std::vector<TextWarning> warnings;
};

enum class RuleStyle { delimited, words };      // /pattern/flags, or pattern up to white space (cidr)

ParsedRules parse_rules(std::string_view text, RuleStyle style);
// The same from members of "{ {rule}, {rule} }".
ParsedRules parse_rules(const std::vector<std::string>& members, RuleStyle style);

} // namespace maps
