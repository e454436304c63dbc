#include "user_names.h"

#include "base/text.h"

#include <algorithm>

namespace auth {
namespace {

constexpr size_t longest_name = 255;

bool all_allowed(std::string_view name, std::string_view allowed)
{
    for (char c : name) {
        if (static_cast<unsigned char>(c) < 32 || c == 127) return false;
        if (!allowed.empty() && allowed.find(c) == std::string_view::npos) return false;
    }
    return base::is_utf8(name);
}

} // namespace

std::optional<std::string> format_name(std::string_view format, std::string_view name)
{
    auto at = base::cut_last(name, '@');
    std::string out;
    for (size_t i = 0; i < format.size(); ++i) {
        if (format[i] != '%') {
            out += format[i];
            continue;
        }
        if (++i == format.size()) return std::nullopt;
        char letter_case = 0;
        if (format[i] == 'L' || format[i] == 'U') {
            letter_case = format[i];
            if (++i == format.size()) return std::nullopt;
        }
        std::string part;
        switch (format[i]) {
        case 'u': part = name; break;
        case 'n': part = at.found ? at.before : name; break;
        case 'd': part = at.found ? at.after : std::string_view(); break;
        case '%': part = "%"; break;
        default: return std::nullopt;
        }
        out += letter_case == 'L' ? base::lower(part) : letter_case == 'U' ? base::upper(part) : part;
    }
    return out;
}

std::vector<std::string> names_to_try(std::string_view typed, const NameRules& rules)
{
    if (typed.empty() || typed.size() > longest_name || !all_allowed(typed, rules.allowed)) return {};
    std::string name(typed);
    if (!rules.default_realm.empty() && name.find('@') == std::string::npos) name += "@" + rules.default_realm;
    auto formatted = format_name(rules.format, name);
    if (!formatted || formatted->empty()) return {};
    std::vector<std::string> names{*formatted};
    auto at = base::cut_last(*formatted, '@');
    const auto& ours = rules.local_domains;
    bool local =
        at.found && !at.before.empty() && std::find(ours.begin(), ours.end(), base::lower(at.after)) != ours.end();
    if (local) names.emplace_back(at.before);
    return names;
}

} // namespace auth
