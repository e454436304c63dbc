#include "config/edit.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

namespace config {
namespace {

enum class Action { keep, drop, comment_out };

// Goes through the lines. For the first line of each entry `decide` says what becomes of the entry and may write in its
// place; comments and empty lines stay, also those inside an entry.
std::string rewrite(std::string_view text,
                    const std::function<Action(std::string_view first_line, std::string& result)>& decide)
{
    std::string result;
    Action action = Action::keep;
    while (!text.empty()) {
        auto end = text.find('\n');
        auto line = text.substr(0, end);
        text.remove_prefix(end == text.npos ? text.size() : end + 1);
        auto words = base::trim(line);
        bool content = !words.empty() && words.front() != '#';
        if (content && !base::is_space(line.front())) action = decide(line, result);
        if (content && action == Action::drop) continue;
        if (content && action == Action::comment_out) result += '#';
        result.append(line).append("\n");
    }
    return result;
}

std::string_view parameter_name(std::string_view line) { return base::trim(base::cut(line, '=').before); }

std::string change_parameters(std::string_view text, const std::vector<std::string>& names, Action action)
{
    return rewrite(text, [&](std::string_view line, std::string&) {
        return std::find(names.begin(), names.end(), parameter_name(line)) == names.end() ? Action::keep : action;
    });
}

bool line_matches(std::string_view line, std::string_view pattern)
{
    auto words = base::split(line, " \t\r\n");
    return words.size() >= 2 && service_matches(pattern, words[0], words[1]);
}

std::string change_services(std::string_view text, const std::vector<std::string>& patterns, Action action)
{
    return rewrite(text, [&](std::string_view line, std::string&) {
        bool meant = std::any_of(patterns.begin(), patterns.end(),
                                 [&](const auto& pattern) { return line_matches(line, pattern); });
        return meant ? action : Action::keep;
    });
}

} // namespace

std::string set_parameters(std::string_view text, const std::vector<Override>& settings)
{
    std::set<std::string_view> written;
    auto find = [&](std::string_view name) {
        // The last one wins, as in main.cf itself.
        return std::find_if(settings.rbegin(), settings.rend(), [&](const Override& set) { return set.name == name; });
    };
    auto entry = [](const Override& set) { return fmt::format("{} = {}\n", set.name, set.value); };
    std::string result = rewrite(text, [&](std::string_view line, std::string& out) {
        auto set = find(parameter_name(line));
        if (set == settings.rend()) return Action::keep;
        if (written.insert(set->name).second) out += entry(*set);
        return Action::drop;
    });
    for (const Override& set : settings)
        if (written.insert(set.name).second) result += entry(*find(set.name));
    return result;
}

std::string remove_parameters(std::string_view text, const std::vector<std::string>& names)
{
    return change_parameters(text, names, Action::drop);
}

std::string comment_out_parameters(std::string_view text, const std::vector<std::string>& names)
{
    return change_parameters(text, names, Action::comment_out);
}

bool service_matches(std::string_view pattern, std::string_view name, std::string_view type)
{
    auto [wanted_name, wanted_type, found] = base::cut_last(pattern, '/');
    if (!found) wanted_name = pattern;
    return (wanted_name == "*" || wanted_name == name) && (!found || wanted_type == "*" || wanted_type == type);
}

std::string set_service(std::string_view text, std::string_view service, std::string_view entry)
{
    bool written = false;
    std::string result = rewrite(text, [&](std::string_view line, std::string& out) {
        if (!line_matches(line, service)) return Action::keep;
        if (!written) out.append(entry).append("\n");
        written = true;
        return Action::drop;
    });
    if (!written) result.append(entry).append("\n");
    return result;
}

std::string remove_services(std::string_view text, const std::vector<std::string>& patterns)
{
    return change_services(text, patterns, Action::drop);
}

std::string comment_out_services(std::string_view text, const std::vector<std::string>& patterns)
{
    return change_services(text, patterns, Action::comment_out);
}

} // namespace config
