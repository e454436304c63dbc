#include "config/unused.h"

#include "config/config.h"
#include "config/expand.h"
#include "config/master_cf.h"
#include "config/values.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
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

// master.cf as far as it can be read; whoever needs it reports what is wrong with it.
MasterTable read_services(const std::string& folder)
{
    try {
        return folder.empty() ? MasterTable() : MasterTable::load(folder);
    } catch (const Error&) {
        return {};
    }
}

// Defaults refer to older names: postscreen_denylist_action to postscreen_blacklist_action.
const Names& names_in_defaults()
{
    static const Names names = [] {
        Names found;
        for (const Row& row : table()) collect_names(row.initial, found);
        return found;
    }();
    return names;
}

// What main.cf and master.cf refer to.
struct Uses {
    Names names, tables;
    MasterTable services;
    bool any_service; // there is no master.cf to ask

    Uses(const Config& config, const std::string& folder)
        : services(read_services(folder)), any_service(services.services.empty())
    {
        for (const auto& [name, setting] : config.settings) add(setting.value);
        for (const auto& name : to_list(config.find_raw("smtpd_restriction_classes").value_or(""))) names.insert(name);
        for (const Service& service : services.services)
            for (const std::string& argument : service.arguments) add(argument);
    }

    void add(std::string_view text)
    {
        collect_names(text, names);
        collect_tables(text, tables);
    }

    bool has(const std::string& name) const
    {
        if (names.count(name) || names_in_defaults().count(name) || find_row(name) || is_of_service(name)) return true;
        for (size_t at = name.find('_'); at != name.npos; at = name.find('_', at + 1))
            if (tables.count(std::string_view(name).substr(0, at))) return true;
        return false;
    }

    bool is_of_service(const std::string& name) const
    {
        auto made = service_parameter(name);
        if (!made || any_service) return made.has_value();
        return std::any_of(services.services.begin(), services.services.end(),
                           [&](const Service& service) { return service.name == made->service; });
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

static std::string unused_line(const std::string& place, const std::string& name, const std::string& value)
{
    return fmt::format("{}: unused parameter: {}={}{}", place, base::printable(name, 100), base::printable(value, 200),
                       suggestion(name));
}

static void add_overrides(std::vector<std::string>& warnings, const Uses& uses)
{
    for (const Service& service : uses.services.services)
        for (const Override& set : service.overrides)
            if (!uses.has(set.name))
                warnings.push_back(unused_line(fmt::format("{}:{}", service.file, service.line), set.name, set.value));
}

std::vector<std::string> unknown_parameters(const Config& config, const std::string& folder)
{
    std::vector<std::string> warnings;
    const Uses uses(config, folder);
    for (const auto& [name, setting] : config.settings)
        if (setting.line != 0 && !uses.has(name)) warnings.push_back(unused_line(setting.place(), name, setting.value));
    add_overrides(warnings, uses);
    return warnings;
}

std::vector<std::string> unknown_overrides(const Config& config, const std::string& folder)
{
    std::vector<std::string> warnings;
    add_overrides(warnings, Uses(config, folder));
    return warnings;
}

std::vector<std::string> idle_parameters(const Config& config)
{
    std::vector<std::string> warnings;
    for (const auto& [name, setting] : config.settings) {
        const Row* row = find_row(name);
        // A value that says what the default says changes nothing.
        if (setting.line != 0 && row && !row->carried_out && setting.value != row->initial)
            warnings.push_back(fmt::format("{}: {} is accepted, but not carried out yet", setting.place(), name));
    }
    return warnings;
}

} // namespace config
