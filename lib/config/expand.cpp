#include "config/expand.h"

#include "config/error.h"
#include "config/values.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace config {
namespace {

constexpr size_t longest_result = 1 << 20;
constexpr int deepest = 100;
constexpr int most_steps = 100'000; // a=$b$b, b=$c$c … doubles with every line

bool is_name_character(char c) { return base::is_alnum(c) || c == '_'; }

[[noreturn]] void bad(std::string_view what, std::string_view where)
{
    throw Error(fmt::format("{} at \"{}\"", what, base::printable(where, 40)));
}

std::string_view skip_space(std::string_view text) { return base::trim_left(text); }

// Takes the text up to the bracket that closes what is open at text[0]. text is left behind that bracket.
std::string_view take_bracket(std::string_view& text)
{
    const char open = text.front(), close = open == '(' ? ')' : '}';
    int depth = 0;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == open) ++depth;
        if (text[i] == close && --depth == 0) {
            auto inside = text.substr(1, i - 1);
            text.remove_prefix(i + 1);
            return inside;
        }
    }
    bad(fmt::format("missing \"{}\"", close), text);
}

// What stands behind "?" or ":": {yes}:{no}, {yes}:no, {yes}, or plain text to the end.
struct Branches {
    std::string_view yes, no;
};

Branches take_branches(char mark, std::string_view text)
{
    auto inner = skip_space(text);
    if (inner.empty() || inner.front() != '{') return mark == '?' ? Branches{text, {}} : Branches{{}, text};
    auto first = take_bracket(inner);
    inner = skip_space(inner);
    if (mark == ':') {
        if (!inner.empty()) bad("text after the closing \"}\"", inner);
        return {{}, first};
    }
    if (inner.empty()) return {first, {}};
    if (inner.front() != ':') bad("expected \":\" and the text for the other case", inner);
    inner.remove_prefix(1);
    auto second = skip_space(inner);
    if (!second.empty() && second.front() == '{') {
        inner = take_bracket(second);
        if (!skip_space(second).empty()) bad("text after the closing \"}\"", second);
    }
    return {first, inner};
}

class Expander {
public:
    Expander(const Lookup& lookup, std::set<std::string, std::less<>>* names) : lookup_(lookup), names_(names) {}

    void expand(std::string_view text, std::string& result, int depth)
    {
        if (depth > deepest || ++steps_ > most_steps) bad("a value that refers to itself, expected an end", text);
        while (!text.empty()) {
            auto dollar = text.find('$');
            auto plain = text.substr(0, dollar);
            written_ += plain.size();
            if (written_ > longest_result)
                throw Error("more than 1 MiB to expand, expected a value of reasonable size");
            result.append(plain);
            if (dollar == text.npos) return;
            text.remove_prefix(dollar + 1);
            take_reference(text, result, depth);
        }
    }

private:
    void take_reference(std::string_view& text, std::string& result, int depth)
    {
        if (!text.empty() && text.front() == '$') {
            result += '$';
            text.remove_prefix(1);
        } else if (!text.empty() && (text.front() == '{' || text.front() == '(')) {
            expression(take_bracket(text), result, depth);
        } else {
            auto end = std::find_if_not(text.begin(), text.end(), is_name_character);
            auto name = text.substr(0, static_cast<size_t>(end - text.begin()));
            if (name.empty()) bad("\"$\" without a name, expected $$ for a dollar sign,", text);
            value(name, result, depth);
            text.remove_prefix(name.size());
        }
    }

    void value(std::string_view name, std::string& result, int depth)
    {
        if (names_) names_->emplace(name);
        if (auto raw = lookup_(name)) expand(*raw, result, depth + 1);
    }

    void expression(std::string_view inside, std::string& result, int depth)
    {
        auto rest = skip_space(inside);
        std::string condition;
        bool compared = !rest.empty() && rest.front() == '{';
        if (compared) {
            condition = compare(rest, depth) ? "true" : "";
        } else {
            auto end = std::find_if_not(rest.begin(), rest.end(), is_name_character);
            auto name = rest.substr(0, static_cast<size_t>(end - rest.begin()));
            if (name.empty()) bad("expected a name or {text} inside ${ }", inside);
            rest.remove_prefix(name.size());
            value(name, condition, depth);
        }
        rest = skip_space(rest);
        if (rest.empty()) {
            result += condition;
            return;
        }
        const char mark = rest.front();
        if (mark != '?' && mark != ':') bad("expected \"?\" or \":\"", rest);
        auto branches = take_branches(mark, rest.substr(1));
        if (names_) {
            expand(branches.yes, result, depth + 1);
            expand(branches.no, result, depth + 1);
        } else {
            expand(condition.empty() ? branches.no : branches.yes, result, depth + 1);
        }
    }

    // {left} operator {right}; rest is left behind them.
    bool compare(std::string_view& rest, int depth)
    {
        auto left_text = take_bracket(rest);
        rest = skip_space(rest);
        auto after = rest.find_first_not_of("<>=!");
        auto sign = rest.substr(0, after);
        if (sign != "==" && sign != "!=" && sign != "<" && sign != "<=" && sign != ">" && sign != ">=")
            bad("expected one of == != < <= >= >", rest);
        rest.remove_prefix(sign.size());
        bool levels = rest.substr(0, 5) == "level";
        if (levels) rest.remove_prefix(5);
        rest = skip_space(rest);
        if (rest.empty() || rest.front() != '{') bad("expected {text} behind the comparison", rest);
        auto right_text = take_bracket(rest);
        std::string left, right;
        expand(left_text, left, depth + 1);
        expand(right_text, right, depth + 1);
        return names_ || holds(order(left, right, levels), sign);
    }

    int order(const std::string& left, const std::string& right, bool levels)
    {
        auto a = levels ? to_level(left) : digits(left), b = levels ? to_level(right) : digits(right);
        if (levels && !names_ && (!a || !b)) bad("expected a compatibility level such as 3.6", a ? right : left);
        if (a && b) return *a < *b ? -1 : *a > *b;
        return left.compare(right);
    }

    static std::optional<int64_t> digits(const std::string& text)
    {
        if (text.empty() || text.find_first_not_of("0123456789") != text.npos) return std::nullopt;
        return to_number(text);
    }

    static bool holds(int order, std::string_view sign)
    {
        if (sign == "==") return order == 0;
        if (sign == "!=") return order != 0;
        if (sign == "<") return order < 0;
        if (sign == "<=") return order <= 0;
        if (sign == ">") return order > 0;
        return order >= 0;
    }

    const Lookup& lookup_;
    std::set<std::string, std::less<>>* names_;
    int steps_ = 0;
    size_t written_ = 0; // conditions included, which leave nothing in the result
};

} // namespace

std::string expand(std::string_view text, const Lookup& lookup)
{
    std::string result;
    Expander(lookup, nullptr).expand(text, result, 0);
    return result;
}

void collect_names(std::string_view text, std::set<std::string, std::less<>>& names)
{
    const Lookup nothing = [](std::string_view) { return std::nullopt; };
    std::string ignored;
    try {
        Expander(nothing, &names).expand(text, ignored, 0);
    } catch (const Error&) {
        return;
    }
}

} // namespace config
