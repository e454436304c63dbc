// expand: the grammar of $name and ${…}, accepted and refused.
#include "catch.h"

#include "config/error.h"
#include "config/expand.h"

#include <fmt/format.h>

#include <map>

namespace {

std::optional<std::string> look_up(std::string_view name)
{
    static const std::map<std::string, std::string, std::less<>> values = {
        {"myhostname", "mail.example.org"},
        {"empty", ""},
        {"one", "1"},
        {"ten", "10"},
        {"two_steps", "<$myhostname>"},
        {"self", "$self"},
        {"ping", "$pong"},
        {"pong", "${ping}"},
        {"level", "3.6"},
        {"dollar", "a$$b"},
        {"broken", "${open"},
    };
    auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional(found->second);
}

struct Case {
    std::string_view text, result;
};

} // namespace

TEST_CASE("references and conditions are expanded")
{
    auto [text, result] = GENERATE(
        Case{"", ""}, Case{"plain text, with {braces}", "plain text, with {braces}"},
        Case{"$myhostname ESMTP", "mail.example.org ESMTP"}, Case{"${myhostname}x", "mail.example.orgx"},
        Case{"$(myhostname)x", "mail.example.orgx"}, Case{"${ myhostname }", "mail.example.org"},
        Case{"$two_steps", "<mail.example.org>"}, Case{"$nobody", ""}, Case{"[$empty]", "[]"}, Case{"5$$", "5$"},
        Case{"$dollar", "a$b"}, Case{"$myhostname.$one", "mail.example.org.1"},
        // ? and : in their old form: the rest is text, whatever is in it
        Case{"${one?yes}", "yes"}, Case{"${empty?yes}", ""}, Case{"${nobody?yes}", ""}, Case{"${one:no}", ""},
        Case{"${nobody:no}", "no"}, Case{"${empty:no}", "no"}, Case{"${one?a:b}", "a:b"},
        Case{"${one??foo:{b}ar}", "?foo:{b}ar"}, Case{"${stress?1}${stress:5}", "5"},
        // and with braces
        Case{"${one?{yes}:{no}}", "yes"}, Case{"${nobody?{yes}:{no}}", "no"}, Case{"${one ? {yes} : {no}}", "yes"},
        Case{"${nobody ? {yes} : no}", " no"}, Case{"${stress?{10}:{300}}s", "300s"}, Case{"${one?{}:{no}}", ""},
        Case{"${nobody:{$ten}}", "10"}, Case{"${one?{${nobody?{a}:{b}}}:{c}}", "b"},
        // comparisons
        Case{"${{$one} == {1} ? {same} : {other}}", "same"}, Case{"${{$one} == {01} ? {same} : {other}}", "same"},
        Case{"${{$ten}>{9}?{more}:{less}}", "more"}, Case{"${{b} < {ab} ? {yes} : {no}}", "no"},
        Case{"${{x} != {y}}", "true"}, Case{"${{x} == {y}}", ""}, Case{"${{9} <= {9} ? {y}}", "y"},
        Case{"${{9} >= {10} ? {y}:{n}}", "n"}, Case{"${{a} == {b} ? {x}:{${{a} == {a} ? {deep} : {no}}}}", "deep"},
        Case{"${{$level} <level {3.10} ? {old} : {new}}", "old"}, Case{"${{$level} >=level {2} ? {y} : {n}}", "y"},
        Case{"${{3.10} <level {3.9} ? {old} : {new}}", "new"}, Case{"${{3.6.1} >level {3.6} ? {y} : {n}}", "y"});
    CAPTURE(text);
    CHECK(config::expand(text, look_up) == result);
}

TEST_CASE("bad grammar is refused")
{
    auto text = GENERATE(as<std::string_view>(), "${", "${one", "$(one}", "$", "a $ b", "$-", "${}", "${one!}",
                         "${one?{x}", "${one?{x}y}", "${one?{x}:{y}z}", "${{a}}", "${{a} = {b}}", "${{a} == b}",
                         "${{a} == {b} x}", "${{a} <=> {b}}", "${{a} <level {b}}", "${{x} <level {1.2.3.4}}", "$self",
                         "$ping", "$broken", "${-x}");
    CAPTURE(text);
    CHECK_THROWS_AS(config::expand(text, look_up), config::Error);
}

TEST_CASE("a value cannot grow without end")
{
    // a0 = $a1$a1, a1 = $a2$a2 …: 2^64 letters
    auto doubling = [](std::string_view name) -> std::optional<std::string> {
        int number = std::stoi(std::string(name.substr(1)));
        return number == 64 ? "x" : fmt::format("$a{}$a{}", number + 1, number + 1);
    };
    CHECK_THROWS_AS(config::expand("$a0", doubling), config::Error);
    // and the same where nothing remains of it
    auto hidden = [](std::string_view name) -> std::optional<std::string> {
        int number = std::stoi(std::string(name.substr(1)));
        return number == 64 ? std::string(1000, 'x') : fmt::format("${{a{0}?{{}}}}${{a{0}?{{}}}}", number + 1);
    };
    CHECK_THROWS_AS(config::expand("$a0", hidden), config::Error);
    CHECK_THROWS_AS(config::expand(std::string(5000, '{') + "${" + std::string(5000, '{'), look_up), config::Error);
    std::string nested;
    for (int i = 0; i < 200; ++i) nested += "${one?{";
    for (int i = 0; i < 200; ++i) nested += "}}";
    CHECK_THROWS_AS(config::expand(nested, look_up), config::Error);
}

TEST_CASE("names are collected from every branch")
{
    std::set<std::string, std::less<>> names;
    config::collect_names("$a ${b?{$c}:{${d}}} ${{$e} == {$f} ? {$g} : {$h}} ${i:$j}", names);
    CHECK(names == std::set<std::string, std::less<>>{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"});
}
