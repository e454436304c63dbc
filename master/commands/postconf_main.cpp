// postconf_main: main.cf as postconf shows and edits it.
#include "postconf.h"

#include "config/edit.h"
#include "config/expand.h"
#include "config/unused.h"
#include "config/values.h"

#include "base/log.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace postconf {
namespace {

struct Classes {
    bool builtin = false, service = false, user = false;
};

Classes read_classes(std::string_view text)
{
    Classes classes;
    for (std::string_view word : base::split(text, ", \t")) {
        bool all = word == "all";
        if (!all && word != "builtin" && word != "service" && word != "user")
            throw Fatal(fmt::format("unknown -C option value \"{}\" in \"{}\"", word, text));
        classes.builtin |= all || word == "builtin";
        classes.service |= all || word == "service";
        classes.user |= all || word == "user";
    }
    return classes;
}

// Names that begin with the name of a service that delivers.
std::set<std::string> service_names(const std::string& folder)
{
    constexpr std::string_view deliverers[] = {"smtp", "lmtp", "local", "virtual", "pipe", "error", "discard"};
    std::set<std::string> names;
    config::MasterTable services;
    try {
        services = config::MasterTable::load(folder);
    } catch (const config::Error& problem) {
        base::log::warning("{}", problem.what());
        return names;
    }
    for (const config::Service& service : services.services) {
        bool delivers =
            std::find(std::begin(deliverers), std::end(deliverers), service.command) != std::end(deliverers);
        for (const std::string& name : config::service_parameter_names(service.name)) {
            bool timed = name.ends_with("_time_limit");
            bool has = timed ? service.command == "pipe" || service.command == "spawn" : delivers;
            if (has && !config::find_row(name)) names.insert(name);
        }
    }
    return names;
}

class Shower {
public:
    Shower(const Options& options, const config::Config& config) : options_(options), config_(config) {}

    void show(const std::string& name)
    {
        auto raw = config_.find_raw(name);
        if (!raw) {
            base::log::warning("{}: unknown parameter", name);
            return;
        }
        std::string value = options_.expand ? expanded(name, *raw) : *raw;
        if (options_.json)
            print_json(name, value);
        else
            print_pair(options_, name, value);
    }

private:
    std::string expanded(const std::string& name, const std::string& raw)
    {
        try {
            return config_.expand(raw);
        } catch (const config::Error& problem) {
            base::log::warning("{}: {}", name, problem.what());
            return raw;
        }
    }

    static std::string quoted(std::string_view text)
    {
        std::string json = "\"";
        for (char c : text) {
            if (c == '"' || c == '\\') json += '\\';
            if (static_cast<unsigned char>(c) < 0x20)
                json += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
            else
                json += c;
        }
        return json + "\"";
    }

    static void print_json(std::string_view name, std::string_view value)
    {
        fmt::print("{{\"name\": {}, \"value\": {}}}\n", quoted(name), quoted(value));
    }

    const Options& options_;
    const config::Config& config_;
};

bool differs(const config::Config& config, const std::string& name)
{
    auto set = config.settings.find(name);
    if (name == "config_directory") return config.find_raw(name) != config::find_row(name)->initial;
    return set != config.settings.end();
}

std::set<std::string> all_names(const Options& options, const config::Config& config, const Classes& classes)
{
    std::set<std::string> names;
    if (classes.builtin)
        for (const config::Row& row : config::table()) names.emplace(row.name);
    if (classes.service) names.merge(service_names(options.folder));
    if (classes.user) {
        std::set<std::string, std::less<>> used;
        for (const auto& [name, setting] : config.settings) config::collect_names(setting.value, used);
        for (const auto& name : config::to_list(config.find_raw("smtpd_restriction_classes").value_or("")))
            used.insert(name);
        for (const auto& [name, setting] : config.settings)
            if (!config::find_row(name) && used.count(name)) names.insert(name);
    }
    return names;
}

} // namespace

void show_main(const Options& options)
{
    const Classes classes = read_classes(options.classes);
    auto config = options.defaults ? config::Config::defaults(options.folder)
                                   : config::Config::inspect(options.folder, options.overrides);
    for (const std::string& warning : config.warnings) base::log::warning("{}", warning);
    Shower shower(options, config);
    for (const std::string& name : options.arguments) shower.show(name);
    if (options.arguments.empty())
        for (const std::string& name : all_names(options, config, classes))
            if (!options.only_set || differs(config, name)) shower.show(name);
    if (!options.defaults)
        for (const std::string& warning : config::unknown_parameters(config, options.folder))
            base::log::warning("{}", warning);
}

void edit_main(const Options& options)
{
    const std::string path = options.folder + "/main.cf";
    std::string text = read_configuration(path);
    if (options.edit) {
        std::vector<config::Override> settings;
        for (const std::string& argument : options.arguments) settings.push_back(split_assignment(argument));
        text = config::set_parameters(text, settings);
    } else {
        for (const std::string& name : options.arguments)
            if (name.find('=') != std::string::npos || name.find_first_of(" \t\n") != std::string::npos)
                throw Fatal(fmt::format("-X or -# accepts parameter names, not \"{}\"", name));
        text = options.remove ? config::remove_parameters(text, options.arguments)
                              : config::comment_out_parameters(text, options.arguments);
    }
    write_configuration(path, text);
}

} // namespace postconf
