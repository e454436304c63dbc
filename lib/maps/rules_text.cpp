// rules_text: the grammar that regexp, pcre and cidr tables share.
#include "maps/rules_text.h"
#include "maps/table_text.h"

#include "base/text.h"

#include <fmt/format.h>

#include <optional>

namespace maps {

namespace {

class RuleParser {
public:
    explicit RuleParser(RuleStyle style) : style_(style) {}

    void line(std::string_view text, int number)
    {
        line_ = number;
        text = base::trim(text);
        if (starts_statement(text, "endif")) return end_if(text.substr(5));
        if (starts_statement(text, "if")) return begin_if(base::trim_left(text.substr(2)));
        match(text);
    }

    ParsedRules finish()
    {
        for (int line : open_) {
            line_ = line;
            warn("IF has no matching ENDIF");
            parsed_.rules.push_back({Rule::Kind::end_if, false, {}, {}, {}, line});
        }
        return std::move(parsed_);
    }

private:
    void warn(std::string what) { parsed_.warnings.push_back({line_, std::move(what)}); }

    // "if/x/" and "if /x/" both begin a condition; "iffy" is no statement.
    static bool starts_statement(std::string_view text, std::string_view word)
    {
        return base::starts_with_word(text, word) && (text.size() == word.size() || !base::is_alnum(text[word.size()]));
    }

    void end_if(std::string_view rest)
    {
        if (open_.empty()) return warn("ignoring ENDIF without matching IF");
        if (!base::trim(rest).empty()) warn("ignoring extra text after ENDIF");
        open_.pop_back();
        parsed_.rules.push_back({Rule::Kind::end_if, false, {}, {}, {}, line_});
    }

    void begin_if(std::string_view text)
    {
        auto rule = pattern(text);
        // A condition that cannot be read still owns its endif: the rules inside are left out with it.
        if (!rule) rule.emplace();
        else if (!rule->result.empty()) warn(fmt::format("ignoring extra text after IF statement: \"{}\"", base::printable(rule->result, 100)));
        rule->kind = Rule::Kind::begin_if;
        rule->line = line_;
        rule->result.clear();
        parsed_.rules.push_back(std::move(*rule));
        open_.push_back(line_);
    }

    void match(std::string_view text)
    {
        auto rule = pattern(text);
        if (!rule) return;
        if (rule->result.empty() && style_ == RuleStyle::words) return warn("no lookup result: skipping this rule");
        if (rule->result.empty()) warn("no replacement text: using empty string");
        rule->line = line_;
        parsed_.rules.push_back(std::move(*rule));
    }

    std::optional<Rule> pattern(std::string_view text)
    {
        Rule rule;
        while (text.starts_with('!')) {
            rule.negated = !rule.negated;
            text = base::trim_left(text.substr(1));
        }
        if (text.empty()) {
            warn("no pattern: skipping this rule");
            return std::nullopt;
        }
        return style_ == RuleStyle::words ? word_pattern(std::move(rule), text) : delimited_pattern(std::move(rule), text);
    }

    static std::optional<Rule> word_pattern(Rule rule, std::string_view text)
    {
        size_t end = std::min(text.find_first_of(" \t\r\n\v\f"), text.size());
        rule.pattern = text.substr(0, end);
        rule.result = base::trim(text.substr(end));
        return rule;
    }

    std::optional<Rule> delimited_pattern(Rule rule, std::string_view text)
    {
        char delimiter = text.front();
        if (base::is_alnum(delimiter) || delimiter == '\\') {
            warn("ignoring unrecognized request");
            return std::nullopt;
        }
        size_t at = 1;
        for (; at < text.size() && text[at] != delimiter; ++at) {
            if (text[at] == '\\') ++at;
        }
        if (at >= text.size()) {
            warn(fmt::format("no closing regexp delimiter \"{}\": skipping this rule", delimiter));
            return std::nullopt;
        }
        rule.pattern = text.substr(1, at - 1);
        text.remove_prefix(at + 1);
        size_t flags = 0;
        while (flags < text.size() && !base::is_space(text[flags])) ++flags;
        rule.flags = text.substr(0, flags);
        rule.result = base::trim(text.substr(flags));
        return rule;
    }

    RuleStyle style_;
    ParsedRules parsed_;
    std::vector<int> open_;
    int line_ = 0;
};

} // namespace

ParsedRules parse_rules(std::string_view text, RuleStyle style)
{
    RuleParser parser(style);
    LogicalLines lines(text);
    LogicalLine line;
    while (lines.next(line)) parser.line(line.text, line.first);
    return parser.finish();
}

ParsedRules parse_rules(const std::vector<std::string>& members, RuleStyle style)
{
    RuleParser parser(style);
    int number = 0;
    for (const std::string& member : members) parser.line(without_braces(member), ++number);
    return parser.finish();
}

} // namespace maps
