// rule_tables: regexp, pcre and cidr: rules tried in their order, from a file or written inline.
#include "maps/file_table.h"
#include "maps/map_types.h"
#include "maps/network.h"
#include "maps/pattern.h"
#include "maps/rules_text.h"
#include "maps/table_text.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"

#include <fmt/format.h>

namespace maps {

namespace {

class RuleTable : public FileTable {
public:
    RuleTable(const std::string& type, const std::string& source, RuleStyle style, const Options& options)
        : FileTable(type + ":" + source, options), type_(type), source_(source), style_(style), inline_(source.starts_with('{'))
    {
    }
    bool fixed_strings() const final { return false; }

protected:
    virtual void clear() = 0;
    virtual void compile(const Rule& rule) = 0;                     // throws BadPattern: the rule is left out
    virtual void compile_never(const Rule& rule) = 0;               // a condition that could not be read: never true

    bool changed() final { return !inline_ && stamp_of(source_) != stamp_; }

    void load() final
    {
        clear();
        ParsedRules parsed = inline_ ? inline_rules() : file_rules();
        for (const TextWarning& warning : parsed.warnings) warn(warning.line, warning.text);
        for (const Rule& rule : parsed.rules) {
            try {
                if (rule.kind == Rule::Kind::begin_if && rule.pattern.empty()) compile_never(rule);
                else compile(rule);
            } catch (const BadPattern& why) {
                warn(rule.line, fmt::format("{}: skipping this rule", why.what()));
                if (rule.kind == Rule::Kind::begin_if) compile_never(rule);
            }
        }
    }

    void warn(int line, std::string_view text) const
    {
        base::log::warning("{} map {}, {} {}: {}", type_, source_, inline_ ? "rule" : "line", line, text);
    }

private:
    ParsedRules inline_rules() const
    {
        auto members = split_braces(source_);
        if (!members) throw Unavailable("braces do not match");
        return parse_rules(*members, style_);
    }
    ParsedRules file_rules()
    {
        stamp_ = stamp_of(source_);
        return parse_rules(base::read_file(source_), style_);
    }

    std::string type_, source_;
    RuleStyle style_;
    bool inline_;
    FileStamp stamp_;
};

// Walks over rules with their conditions: matches(rule) says whether its pattern fits, negation included.
template <class Rules, class Matches> auto first_match(const Rules& rules, Matches matches) -> decltype(&rules.front())
{
    int outside = 0;    // conditions open around us that do not hold
    for (const auto& rule : rules) {
        if (rule.kind == Rule::Kind::end_if) outside -= outside > 0;
        else if (outside > 0) outside += rule.kind == Rule::Kind::begin_if;
        else if (rule.kind == Rule::Kind::begin_if) outside += !matches(rule);
        else if (matches(rule)) return &rule;
    }
    return nullptr;
}

using Compiler = std::unique_ptr<Pattern> (*)(const std::string&, std::string_view);

class PatternMap final : public RuleTable {
public:
    PatternMap(const std::string& type, const std::string& source, Compiler compiler, const Options& options)
        : RuleTable(type, source, RuleStyle::delimited, options), compiler_(compiler)
    {
    }

protected:
    struct Compiled {
        Rule::Kind kind;
        bool negated;
        std::unique_ptr<Pattern> pattern;   // none: never matches
        Replacement result;
    };

    void clear() override { rules_.clear(); }
    void compile_never(const Rule& rule) override { rules_.push_back({rule.kind, false, nullptr, Replacement("")}); }
    void compile(const Rule& rule) override
    {
        Compiled compiled{rule.kind, rule.negated, nullptr, Replacement(rule.result)};
        if (rule.kind != Rule::Kind::end_if) {
            compiled.pattern = compiler_(rule.pattern, rule.flags);
            if (rule.negated && compiled.result.highest() > 0) throw BadPattern("$number found in negative match replacement text");
            if (compiled.result.highest() > compiled.pattern->groups())
                throw BadPattern(fmt::format("out of range replacement index \"{}\"", compiled.result.highest()));
        }
        rules_.push_back(std::move(compiled));
    }

    std::optional<std::string> look_up(std::string_view key) override
    {
        std::string subject(key);
        std::vector<std::string_view> groups;
        const Compiled* rule = first_match(
            rules_, [&](const Compiled& each) { return each.pattern && each.pattern->match(subject, groups) != each.negated; });
        if (!rule) return std::nullopt;
        return rule->result.expand(groups);
    }

private:
    Compiler compiler_;
    std::vector<Compiled> rules_;
};

class CidrMap final : public RuleTable {
public:
    CidrMap(const std::string& source, const Options& options) : RuleTable("cidr", source, RuleStyle::words, options) {}

protected:
    struct Compiled {
        Rule::Kind kind;
        bool negated;
        std::optional<Network> network;     // none: never matches
        std::string result;
    };

    void clear() override { rules_.clear(); }
    void compile_never(const Rule& rule) override { rules_.push_back({rule.kind, false, std::nullopt, {}}); }
    void compile(const Rule& rule) override
    {
        Compiled compiled{rule.kind, rule.negated, std::nullopt, rule.result};
        if (rule.kind != Rule::Kind::end_if) {
            Network::Parsed parsed = Network::parse(rule.pattern);
            if (!parsed.network) throw BadPattern(parsed.error);
            compiled.network = parsed.network;
        }
        rules_.push_back(std::move(compiled));
    }

    std::optional<std::string> look_up(std::string_view key) override
    {
        auto address = Address::parse(key);
        if (!address) return std::nullopt;
        const Compiled* rule = first_match(
            rules_, [&](const Compiled& each) { return each.network && each.network->contains(*address) != each.negated; });
        if (!rule) return std::nullopt;
        return rule->result;
    }

private:
    std::vector<Compiled> rules_;
};

} // namespace

std::unique_ptr<Map> open_regexp(const std::string& name, const Options& options)
{
    return std::make_unique<PatternMap>("regexp", name, compile_posix, options);
}

std::unique_ptr<Map> open_pcre(const std::string& name, const Options& options)
{
    return std::make_unique<PatternMap>("pcre", name, compile_pcre, options);
}

std::unique_ptr<Map> open_cidr(const std::string& name, const Options& options) { return std::make_unique<CidrMap>(name, options); }

} // namespace maps
