// table_text, aliases_text, rules_text: the grammars of the sources, what they take and what they say about the rest.
#include "catch.h"

#include "maps/aliases_text.h"
#include "maps/rules_text.h"
#include "maps/table_text.h"

#include <fmt/format.h>

using maps::AliasMember;
using Kind = maps::AliasMember::Kind;

namespace {

std::string shown(const maps::ParsedText& parsed)
{
    std::string text;
    for (const auto& entry : parsed.entries) text += fmt::format("{}[{}|{}]", entry.line, entry.key, entry.value);
    return text;
}

std::string warned(const std::vector<maps::TextWarning>& warnings)
{
    std::string text;
    for (const auto& warning : warnings) text += warning.in("f") + "\n";
    return text;
}

} // namespace

TEST_CASE("postmap sources", "[maps]")
{
    struct {
        const char *text, *expected, *warnings;
    } cases[] = {
        {"", "", ""},
        {"# comment\n\n  # another\na b\n", "4[a|b]", ""},
        {"a b", "1[a|b]", ""},
        {"a  b c \t\r\n", "1[a|b c]", ""},
        {"a b\n c\n# in between\n\td\ne f\n", "1[a|b c\td]5[e|f]", ""},
        {" a b\n c d\n", "1[a|b c d]", ""},
        {"\"a b\"@c d\n", "1[\"a b\"@c|d]", ""},
        {"un\"q b\" v\n", "1[un\"q b\"|v]", ""},
        {"back\\ slash v\n", "1[back\\ slash|v]", ""},
        {"x \"open\n", "1[x|\"open]", ""},
        {"\"open x\nnext y\n", "2[next|y]", "f, line 1: unbalanced '\"' in '\"open x' -- ignoring this line\n"},
        {"lonely\n", "", "f, line 1: expected format: key whitespace value\n"},
        {"a: b\n", "1[a:|b]", "f, line 1: record is in \"key: value\" format; is this an alias file?\n"},
        {"a b\na c\n", "1[a|b]2[a|c]", ""},
    };
    for (const auto& each : cases) {
        CAPTURE(each.text);
        auto parsed = maps::parse_table(each.text);
        CHECK(shown(parsed) == each.expected);
        CHECK(warned(parsed.warnings) == each.warnings);
    }
}

TEST_CASE("alias sources", "[maps]")
{
    struct {
        const char *text, *expected, *warnings;
    } cases[] = {
        {"root: joe\n", "1[root|joe]", ""},
        {"Post.Master :  root, \"quo ted\"\n", "1[Post.Master|root, \"quo ted\"]", ""},
        {"\"Quo ted\": |\"/bin/x a: b\"\n", "1[Quo ted||\"/bin/x a: b\"]", ""},
        {"list: :include:/etc/l,\n  more\n", "1[list|:include:/etc/l,  more]", ""},
        {"(note: this) a (b): c\n", "1[a|c]", ""},
        {"a: b # no comment\n#c\n", "1[a|b # no comment]", ""},
        {"dom@x: a\n", "", "f, line 1: name must be local\n"},
        {"x:\n: y\nnoc\n", "", "f, line 1: need name:value pair\nf, line 2: need name:value pair\nf, line 3: need name:value pair\n"},
        {"\"at@in\": b\n", "1[at@in|b]", ""},
        {"\"open: b\n", "", "f, line 1: need name:value pair\n"},
    };
    for (const auto& each : cases) {
        CAPTURE(each.text);
        auto parsed = maps::parse_aliases(each.text);
        CHECK(shown(parsed) == each.expected);
        CHECK(warned(parsed.warnings) == each.warnings);
    }
}

TEST_CASE("alias values", "[maps]")
{
    struct {
        const char* value;
        std::vector<AliasMember> expected;
    } cases[] = {
        {"", {}},
        {"joe", {{Kind::address, "joe"}}},
        {"a, b@c ,d", {{Kind::address, "a"}, {Kind::address, "b@c"}, {Kind::address, "d"}}},
        {"\\joe", {{Kind::address, "joe"}}},
        {"\"|/bin/cmd -a 'x, y'\"", {{Kind::command, "/bin/cmd -a 'x, y'"}}},
        {"|\"/bin/cmd \\\"q\\\"\"", {{Kind::command, "/bin/cmd \"q\""}}},
        {"|/bin/cmd a b, next", {{Kind::command, "/bin/cmd a b"}, {Kind::address, "next"}}},
        {"/var/mail/x, \"/tmp/a b\"", {{Kind::file, "/var/mail/x"}, {Kind::file, "/tmp/a b"}}},
        {":include:/etc/list", {{Kind::include, "/etc/list"}}},
        {"\":include:/etc/a list\", :INCLUDE: /x", {{Kind::include, "/etc/a list"}, {Kind::include, "/x"}}},
        {"Foo Bar <foo@bar>, (c) x (d, e)", {{Kind::address, "foo@bar"}, {Kind::address, "x"}}},
        {"\"a b\"@c, \"a b\", \"ab\"", {{Kind::address, "\"a b\"@c"}, {Kind::address, "\"a b\""}, {Kind::address, "ab"}}},
        {"group: a, b;, c", {{Kind::address, "a"}, {Kind::address, "b"}, {Kind::address, "c"}}},
        {"\"\", , <>", {}},
        {"|sh -c 'a; b: c'", {{Kind::command, "sh -c 'a; b: c'"}}},
    };
    for (const auto& each : cases) {
        CAPTURE(each.value);
        CHECK(maps::parse_alias_value(each.value) == each.expected);
    }
    auto list = maps::parse_alias_list("# c\njoe, ann\n\n|\"prog x\"\nlast@x\n");
    REQUIRE(list.size() == 4);
    CHECK(list[2] == AliasMember{Kind::command, "prog x"});
}

TEST_CASE("braces", "[maps]")
{
    using List = std::vector<std::string>;
    CHECK(maps::split_braces("{a, {b c} ,d}") == List{"a", "{b c}", "d"});
    CHECK(maps::split_braces("{ }") == List{});
    CHECK(maps::split_braces("{{a=b}}") == List{"{a=b}"});
    for (const char* bad : {"", "a", "{a", "a}", "{a}}", "{{a}", "{a}{b}"}) {
        CAPTURE(bad);
        CHECK(maps::split_braces(bad) == std::nullopt);
    }
    CHECK(maps::without_braces(" { a b } ") == "a b");
    CHECK(maps::without_braces("{") == "{");
}

TEST_CASE("rules", "[maps]")
{
    auto parsed = maps::parse_rules("/a\\/b/i x y\n!/n/ z\nif /c/\n#\n/d/ e\nendif\n|p|m q\n", maps::RuleStyle::delimited);
    CHECK(parsed.warnings.empty());
    REQUIRE(parsed.rules.size() == 6);
    CHECK(parsed.rules[0].pattern == "a\\/b");
    CHECK(parsed.rules[0].flags == "i");
    CHECK(parsed.rules[0].result == "x y");
    CHECK(parsed.rules[1].negated);
    CHECK(parsed.rules[2].kind == maps::Rule::Kind::begin_if);
    CHECK(parsed.rules[4].kind == maps::Rule::Kind::end_if);
    CHECK(parsed.rules[5].pattern == "p");
    CHECK(parsed.rules[5].line == 7);

    struct {
        const char *text, *warnings;
        size_t rules;
    } cases[] = {
        {"/abc\n", "f, line 1: no closing regexp delimiter \"/\": skipping this rule\n", 0},
        {"foo\n", "f, line 1: ignoring unrecognized request\n", 0},
        {"endif\n", "f, line 1: ignoring ENDIF without matching IF\n", 0},
        {"if /a/\n/b/ c\n", "f, line 1: IF has no matching ENDIF\n", 3},
        {"if /a/ x\nendif y\n", "f, line 1: ignoring extra text after IF statement: \"x\"\nf, line 2: ignoring extra text after ENDIF\n", 2},
        {"!\n", "f, line 1: no pattern: skipping this rule\n", 0},
        {"if\n/a/ b\nendif\n", "f, line 1: no pattern: skipping this rule\n", 3},
        {"/a/\n", "f, line 1: no replacement text: using empty string\n", 1},
        {"/a\\", "f, line 1: no closing regexp delimiter \"/\": skipping this rule\n", 0},
    };
    for (const auto& each : cases) {
        CAPTURE(each.text);
        auto bad = maps::parse_rules(each.text, maps::RuleStyle::delimited);
        CHECK(warned(bad.warnings) == each.warnings);
        CHECK(bad.rules.size() == each.rules);
    }
}
