#include "config/config.h"

#include "config/expand.h"
#include "config/logical_lines.h"
#include "config/machine.h"
#include "config/unused.h"
#include "config/values.h"

#include "base/fd.h"
#include "base/text.h"

#include <fmt/format.h>

#include <cstdlib>

namespace config {

constexpr size_t largest_file = 16 << 20;

std::string Setting::place() const { return line == 0 ? file : fmt::format("{}:{}", file, line); }

std::string default_folder()
{
    if (const char* chosen = ::getenv("MAIL_CONFIG"); chosen && *chosen) return chosen;
    return base::exists("/etc/rookpost") || !base::exists("/etc/postfix") ? "/etc/rookpost" : "/etc/postfix";
}

static std::string read_main_cf(const std::string& path)
{
    try {
        return base::read_file(path, largest_file);
    } catch (const base::SystemError& problem) {
        throw Error(fmt::format("{}: {}, expected a file that can be read", path, base::error_text(problem.code())));
    }
}

Config Config::load(const std::string& folder, const std::vector<Override>& overrides)
{
    Config config = inspect(folder, overrides);
    config.read_parameters();
    config.settle_old_names();
    config.add_warnings(folder);
    return config;
}

Config Config::parse(std::string_view text, const std::string& file, const std::vector<Override>& overrides)
{
    Config config;
    config.folder = base::cut_last(file, '/').found ? std::string(base::cut_last(file, '/').before) : ".";
    config.read_settings(text, file);
    config.apply(overrides);
    config.compute_defaults();
    config.read_parameters();
    config.settle_old_names();
    config.add_warnings("");
    return config;
}

Config Config::inspect(const std::string& folder, const std::vector<Override>& overrides)
{
    const std::string path = folder + "/main.cf";
    Config config;
    config.folder = folder;
    config.read_settings(read_main_cf(path), path);
    config.apply(overrides);
    config.compute_defaults();
    return config;
}

Config Config::defaults(const std::string& folder)
{
    Config config;
    config.folder = folder;
    config.compute_defaults();
    return config;
}

void Config::add_warnings(const std::string& master_folder)
{
    for (auto& text : unknown_parameters(*this, master_folder)) warnings.push_back(std::move(text));
    for (auto& text : idle_parameters(*this)) warnings.push_back(std::move(text));
}

void Config::read_settings(std::string_view text, const std::string& file)
{
    for (const LogicalLine& line : logical_lines(text, file)) {
        auto [name, value, found] = base::cut(line.text, '=');
        name = base::trim(name);
        if (!found)
            throw Error(fmt::format("{}:{}: \"{}\" has no \"=\", expected name = value", file, line.first,
                                    base::printable(line.text, 60)));
        if (name.empty())
            throw Error(fmt::format("{}:{}: no name before \"=\", expected name = value", file, line.first));
        if (name.find_first_of(" \t\r") != name.npos)
            throw Error(fmt::format("{}:{}: white space inside the name \"{}\", expected name = value", file,
                                    line.first, base::printable(name, 60)));
        Setting setting{std::string(base::trim(value)), file, line.first};
        auto [place, fresh] = settings.try_emplace(std::string(name), setting);
        if (fresh) continue;
        warnings.push_back(fmt::format("{}:{}: overriding earlier entry: {}={} (line {})", file, line.first, name,
                                       base::printable(place->second.value, 200), place->second.line));
        place->second = setting;
    }
}

void Config::apply(const std::vector<Override>& overrides)
{
    for (const Override& override : overrides)
        settings[override.name] = {override.value,
                                   fmt::format("-o {}={}", override.name, base::printable(override.value, 100)), 0};
}

void Config::compute_defaults()
{
    computed_["config_directory"] = folder;
    auto hostname = find_raw("myhostname");
    if (!is_set("myhostname")) {
        hostname = machine::hostname();
        if (hostname->find('.') == hostname->npos)
            *hostname += "." + (is_set("mydomain") ? value_of("mydomain") : "localdomain");
        computed_["myhostname"] = *hostname;
    }
    if (!is_set("mydomain")) {
        std::string name = value_of("myhostname");
        auto dot = name.find('.');
        computed_["mydomain"] = dot == name.npos ? "localdomain" : name.substr(dot + 1);
    }
    if (!is_set("mynetworks")) {
        auto style = value_of("mynetworks_style");
        if (style != "host" && style != "subnet" && style != "class")
            throw Error(fmt::format("{}: mynetworks_style = {}, expected host, subnet or class",
                                    place_of("mynetworks_style"), style));
        computed_["mynetworks"] =
            machine::networks(style, to_list(value_of("inet_interfaces")), value_of("inet_protocols"));
    }
}

std::optional<std::string> Config::find_default(std::string_view name) const
{
    if (auto computed = computed_.find(name); computed != computed_.end()) return computed->second;
    if (const Row* row = find_row(name)) return std::string(row->initial);
    if (auto made = service_parameter(name)) return std::string(made->initial);
    return std::nullopt;
}

std::optional<std::string> Config::find_raw(std::string_view name) const
{
    if (auto set = settings.find(name); set != settings.end()) return set->second.value;
    return find_default(name);
}

std::string Config::expand(std::string_view text) const
{
    return config::expand(text, [this](std::string_view name) { return find_raw(name); });
}

std::optional<std::string> Config::find(std::string_view name) const
{
    auto raw = find_raw(name);
    const Row* row = find_row(name);
    if (!raw || (row && row->type == Type::RawText)) return raw;
    return value_of(name);
}

std::string Config::place_of(std::string_view name) const
{
    auto set = settings.find(name);
    return set == settings.end() ? folder + "/main.cf" : set->second.place();
}

std::string Config::value_of(std::string_view name) const
{
    try {
        return expand(find_raw(name).value_or(""));
    } catch (const Error& problem) {
        throw Error(fmt::format("{}: {}: {}", place_of(name), name, problem.what()));
    }
}

void Config::read_parameters()
{
#define PARAMETER(Type, name, ...) read(#name, name);
#define BY_NAME(...)
#define KNOWN(...)
#include "config/parameters.def"
#undef PARAMETER
#undef BY_NAME
#undef KNOWN
    // Debian's way: a name that begins with / is a file whose first line is meant.
    if (!myorigin.empty() && myorigin.front() == '/')
        myorigin = base::trim(base::cut(read_main_cf(myorigin), '\n').before);
}

void Config::read(std::string_view name, std::string& field) const
{
    const Row* row = find_row(name);
    field = row && row->type == Type::RawText ? find_raw(name).value_or("") : value_of(name);
    if (row && !row->min.empty() && field.empty())
        throw Error(fmt::format("{}: {} is empty, expected a value", place_of(name), name));
}

// The value of a name with its time unit cut off would be a guess; a comment behind the value is the usual cause.
[[noreturn]] static void refuse(const std::string& place, std::string_view name, std::string_view value,
                                std::string_view expected)
{
    std::string_view hint = value.find('#') != value.npos ? " (a comment needs a line of its own)" : "";
    throw Error(
        fmt::format("{}: {} = {}: bad value, expected {}{}", place, name, base::printable(value, 100), expected, hint));
}

void Config::read(std::string_view name, Flag& field) const
{
    auto text = value_of(name);
    auto value = to_flag(text);
    if (!value) refuse(place_of(name), name, text, "yes or no");
    field = *value;
}

void Config::read(std::string_view name, Number& field) const
{
    auto text = value_of(name);
    auto value = to_number(text);
    if (!value) refuse(place_of(name), name, text, "a whole number");
    const Row* row = find_row(name);
    auto least = row ? to_number(row->min) : std::nullopt, most = row ? to_number(row->max) : std::nullopt;
    if (least && *value < *least) refuse(place_of(name), name, text, fmt::format("at least {}", *least));
    if (most && *value > *most) refuse(place_of(name), name, text, fmt::format("at most {}", *most));
    field = *value;
}

void Config::read(std::string_view name, Seconds& field) const
{
    auto text = value_of(name);
    const Row* row = find_row(name);
    auto value = to_seconds(text, row ? time_unit(row->initial) : 's');
    if (!value) refuse(place_of(name), name, text, "a time such as 300s, 5m, 2h, 1d, 1w");
    auto least = row ? to_seconds(row->min) : std::nullopt, most = row ? to_seconds(row->max) : std::nullopt;
    if (least && *value < *least) refuse(place_of(name), name, text, fmt::format("at least {}", row->min));
    if (most && *value > *most) refuse(place_of(name), name, text, fmt::format("at most {}", row->max));
    field = *value;
}

void Config::read(std::string_view name, List& field) const { field = to_list(value_of(name)); }

Number Config::number(std::string_view name) const
{
    Number value{};
    read(name, value);
    return value;
}

Seconds Config::seconds(std::string_view name) const
{
    Seconds value{};
    read(name, value);
    return value;
}

Flag Config::flag(std::string_view name) const
{
    Flag value{};
    read(name, value);
    return value;
}

List Config::list(std::string_view name) const
{
    List value;
    read(name, value);
    return value;
}

// The yes/no parameters of Postfix before 2.3 choose a TLS level where none was set.
void Config::settle_old_names()
{
    auto settle = [this](const char* use, const char* enforce, std::string& level) {
        if (!level.empty()) return;
        if (is_set(enforce) && flag(enforce))
            level = "encrypt";
        else if (is_set(use) && flag(use))
            level = "may";
    };
    settle("smtpd_use_tls", "smtpd_enforce_tls", smtpd_tls_security_level);
    settle("smtp_use_tls", "smtp_enforce_tls", smtp_tls_security_level);
    settle("lmtp_use_tls", "lmtp_enforce_tls", lmtp_tls_security_level);
}

} // namespace config
