#include "config/unused.h"

#include "config/config.h"
#include "config/expand.h"
#include "config/values.h"

#include "base/fd.h"
#include "base/text.h"

#include <fmt/format.h>

#include <set>

namespace config {
namespace {

using Names = std::set<std::string, std::less<>>;

// "ldap:accounts" may take its settings from accounts_server_host and so on in main.cf.
void collect_tables(std::string_view text, Names& tables)
{
    for (std::string_view type : {"ldap:", "mysql:", "pgsql:", "sqlite:", "memcache:", "mongodb:"}) {
        for (size_t at = text.find(type); at != text.npos; at = text.find(type, at + 1)) {
            auto rest = text.substr(at + type.size());
            auto name = rest.substr(0, rest.find_first_of(" \t,}"));
            if (!name.empty() && name.front() != '/') tables.emplace(name);
        }
    }
}

std::string read_if_there(const std::string& path)
{
    try {
        return base::read_file(path, 16 << 20);
    } catch (const std::exception&) {
        return "";   // whoever needs master.cf reports it; here it only lends names
    }
}

struct Uses {
    Names names, tables;

    Uses(const Config& config, const std::string& folder)
    {
        for (const auto& [name, setting] : config.settings) {
            collect_names(setting.value, names);
            collect_tables(setting.value, tables);
        }
        for (const auto& name : config.smtpd_restriction_classes) names.insert(name);
        if (!folder.empty()) collect_names_loosely(read_if_there(folder + "/master.cf"));
    }

    // master.cf is not ours to judge here: every $name in it counts.
    void collect_names_loosely(std::string_view text)
    {
        for (size_t at = text.find('$'); at != text.npos; at = text.find('$', at + 1)) {
            size_t start = text.find_first_not_of("({ \t", at + 1), end = start;
            while (end < text.size() && (base::is_alnum(text[end]) || text[end] == '_')) ++end;
            if (start < end) names.emplace(text.substr(start, end - start));
        }
    }

    bool has(const std::string& name) const
    {
        if (names.count(name) || service_parameter(name)) return true;
        for (size_t at = name.find('_'); at != name.npos; at = name.find('_', at + 1))
            if (tables.count(std::string_view(name).substr(0, at))) return true;
        return false;
    }
};

size_t distance(std::string_view a, std::string_view b)
{
    std::vector<size_t> row(b.size() + 1);
    for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (size_t i = 1; i <= a.size(); ++i) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.size(); ++j) {
            size_t above = row[j];
            row[j] = std::min({above + 1, row[j - 1] + 1, corner + (a[i - 1] != b[j - 1])});
            corner = above;
        }
    }
    return row[b.size()];
}

// " (did you mean smtpd_banner?)", or nothing when no name is near.
std::string suggestion(std::string_view name)
{
    const Row* best = nullptr;
    size_t nearest = 3;
    if (name.size() < 6 || name.size() > 64) return "";
    for (const Row& row : table()) {
        if (row.name.size() > name.size() + 2 || name.size() > row.name.size() + 2) continue;
        if (size_t far = distance(name, row.name); far < nearest) nearest = far, best = &row;
    }
    return best ? fmt::format(" (did you mean {}?)", best->name) : "";
}

} // namespace

std::vector<std::string> unused_parameters(const Config& config, const std::string& folder)
{
    std::vector<std::string> warnings;
    const Uses uses(config, folder);
    for (const auto& [name, setting] : config.settings) {
        if (setting.line == 0) continue;
        const Row* row = find_row(name);
        if (row && row->carried_out) continue;
        if (row)
            warnings.push_back(fmt::format("{}: {} is accepted, but not carried out yet", setting.place(), name));
        else if (!uses.has(name))
            warnings.push_back(fmt::format("{}: unused parameter: {}={}{}", setting.place(), base::printable(name, 100),
                                           base::printable(setting.value, 200), suggestion(name)));
    }
    return warnings;
}

} // namespace config
