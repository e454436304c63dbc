// postconf_master: master.cf as postconf shows and edits it: whole entries (-M), fields (-F), and -o parameters (-P).
#include "postconf.h"

#include "config/edit.h"
#include "config/print.h"
#include "config/unused.h"

#include "base/log.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace postconf {
namespace {

using config::Override;
using config::Service;

constexpr std::string_view fields[] = {"service", "type",   "private",       "unprivileged",
                                       "chroot",  "wakeup", "process_limit", "command"};

std::string key(const Service& service) { return fmt::format("{}/{}", service.name, config::type_word(service.type)); }

// "smtp/inet/chroot": service, type, and what is left; a missing piece is "*".
struct Request {
    std::string service = "*", last = "*";
};

Request read_request(std::string_view text, bool with_last)
{
    auto parts = base::split_exact(text, '/');
    Request request;
    if (parts.size() > (with_last ? 3u : 2u)) throw Fatal(fmt::format("bad service specification: \"{}\"", text));
    request.service = std::string(parts[0]) + "/" + std::string(parts.size() > 1 ? parts[1] : "*");
    if (parts.size() > 2) request.last = parts[2];
    return request;
}

std::vector<std::string> field_values(const Service& service)
{
    auto values = config::print_columns(service);
    values.push_back(config::print_command(service));
    return values;
}

void check_field(std::string_view name)
{
    if (name != "*" && std::find(std::begin(fields), std::end(fields), name) == std::end(fields))
        throw Fatal(fmt::format("invalid service attribute name: \"{}\"", name));
}

bool show_fields(const Options& options, const Service& service, const std::string& wanted)
{
    auto values = field_values(service);
    bool shown = false;
    for (size_t i = 0; i < values.size(); ++i) {
        if (wanted != "*" && wanted != fields[i]) continue;
        print_pair(options, fmt::format("{}/{}", key(service), fields[i]), values[i]);
        shown = true;
    }
    return shown;
}

bool show_parameters(const Options& options, const Service& service, const std::string& wanted)
{
    std::map<std::string, std::string> sorted;
    for (const Override& set : service.overrides) sorted[set.name] = set.value;
    bool shown = false;
    std::optional<config::Config> config;
    if (options.expand) config = config::Config::inspect(options.folder, service.overrides);
    for (const auto& [name, value] : sorted) {
        if (wanted != "*" && wanted != name) continue;
        print_pair(options, fmt::format("{}/{}", key(service), name), config ? config->expand(value) : value);
        shown = true;
    }
    return shown;
}

bool show_one(const Options& options, const Service& service, const std::string& wanted)
{
    if (options.master == 'F') return show_fields(options, service, wanted);
    if (options.master == 'P') return show_parameters(options, service, wanted);
    fmt::print("{}\n", config::print_service(service, options.fold));
    return true;
}

// The services that an edit means, from the file as it is.
std::vector<Service> meant(const std::string& text, const std::string& path, const std::string& pattern,
                           std::string_view request)
{
    std::vector<Service> found;
    for (Service& service : config::MasterTable::parse(text, path).services)
        if (config::service_matches(pattern, service.name, config::type_word(service.type)))
            found.push_back(std::move(service));
    if (found.empty()) base::log::warning("unmatched service_name/type: \"{}\"", request);
    return found;
}

// What an entry would be read as; a slip is reported before the file is touched.
Service read_entry(std::string_view entry, std::string_view argument)
{
    if (base::split(entry, " \t").size() < 8) throw Fatal(fmt::format("bad field count: \"{}\"", argument));
    auto table = config::MasterTable::parse(entry, "argument");
    if (table.services.size() != 1) throw Fatal(fmt::format("bad entry: \"{}\"", argument));
    return table.services.front();
}

std::string set_entry(const std::string& text, const std::string& argument)
{
    auto [target, entry, found] = base::cut(argument, '=');
    if (!found) throw Fatal(fmt::format("missing '=' after attribute name: \"{}\"", argument));
    Service service = read_entry(base::trim(entry), argument);
    std::string wanted = read_request(base::trim(target), false).service;
    if (wanted.find('*') != std::string::npos) throw Fatal(fmt::format("\"{}\" names no single service", argument));
    return config::set_service(text, wanted, config::print_service(service, true));
}

std::string set_field(std::string text, const std::string& path, const std::string& argument)
{
    Override assignment = split_assignment(argument);
    Request request = read_request(assignment.name, true);
    check_field(request.last);
    if (request.last == "*") throw Fatal(fmt::format("missing or wild field name: \"{}\"", argument));
    for (const Service& service : meant(text, path, request.service, argument)) {
        auto values = field_values(service);
        values[static_cast<size_t>(std::find(std::begin(fields), std::end(fields), request.last) -
                                   std::begin(fields))] = assignment.value;
        Service changed = read_entry(base::join(values, " "), argument);
        text = config::set_service(text, key(service), config::print_service(changed, true));
    }
    return text;
}

void set_override(Service& service, const Override& set)
{
    size_t option = 0;
    for (size_t i = 0; i < service.arguments.size() && !service.arguments[i].starts_with("argv="); ++i) {
        if (!service.arguments[i].starts_with("-o")) continue;
        bool apart = service.arguments[i] == "-o";
        if (service.overrides[option++].name != set.name) {
            i += apart;
            continue;
        }
        service.overrides[option - 1].value = set.value;
        return;
    }
    auto first_plain = std::find_if(service.arguments.begin(), service.arguments.end(), [](const std::string& word) {
        return word.starts_with("argv=") || word.starts_with("flags=");
    });
    service.arguments.insert(first_plain, {"-o", set.name + "=" + set.value});
    service.overrides.push_back(set);
}

void remove_override(Service& service, const std::string& name)
{
    size_t option = 0;
    for (size_t i = 0; i < service.arguments.size() && option < service.overrides.size();) {
        size_t words = service.arguments[i] == "-o" ? 2 : 1;
        auto at = service.arguments.begin() + static_cast<std::ptrdiff_t>(i);
        if (!at->starts_with("-o")) {
            ++i;
        } else if (name != "*" && service.overrides[option].name != name) {
            ++option;
            i += words;
        } else {
            service.arguments.erase(at, at + static_cast<std::ptrdiff_t>(words));
            service.overrides.erase(service.overrides.begin() + static_cast<std::ptrdiff_t>(option));
        }
    }
}

std::string edit_parameters(std::string text, const std::string& path, const Options& options,
                            const std::string& argument)
{
    if (options.comment_out) throw Fatal("-# cannot be used with -P");
    Override assignment = options.edit ? split_assignment(argument) : Override{argument, ""};
    Request request = read_request(assignment.name, true);
    if (options.edit && request.last == "*") throw Fatal(fmt::format("missing parameter name: \"{}\"", argument));
    for (Service& service : meant(text, path, request.service, argument)) {
        if (options.edit)
            set_override(service, {request.last, assignment.value});
        else
            remove_override(service, request.last);
        text = config::set_service(text, key(service), config::print_service(service, true));
    }
    return text;
}

} // namespace

void show_master(const Options& options)
{
    auto table = config::MasterTable::load(options.folder);
    for (const std::string& warning : table.warnings) base::log::warning("{}", warning);
    auto requests = options.arguments;
    if (requests.empty()) requests.push_back("*");
    for (const std::string& text : requests) {
        Request request = read_request(text, options.master != 'M');
        if (options.master == 'F') check_field(request.last);
        bool shown = false;
        for (const Service& service : table.services)
            if (config::service_matches(request.service, service.name, config::type_word(service.type)))
                shown |= show_one(options, service, request.last);
        if (!shown && text != "*") base::log::warning("unmatched request: \"{}\"", text);
    }
    auto config = config::Config::inspect(options.folder, options.overrides);
    for (const std::string& warning : config::unknown_overrides(config, options.folder))
        base::log::warning("{}", warning);
}

void edit_master(const Options& options)
{
    const std::string path = options.folder + "/master.cf";
    std::string text = read_configuration(path);
    if (options.master == 'M' && !options.edit) {
        std::vector<std::string> patterns;
        for (const std::string& argument : options.arguments) patterns.push_back(read_request(argument, false).service);
        text = options.remove ? config::remove_services(text, patterns) : config::comment_out_services(text, patterns);
    } else {
        for (const std::string& argument : options.arguments) {
            if (argument.find('\n') != std::string::npos) throw Fatal("-e, -X, or -# accepts no multi-line input");
            if (options.master == 'M')
                text = set_entry(text, argument);
            else if (options.master == 'P')
                text = edit_parameters(text, path, options, argument);
            else if (options.edit)
                text = set_field(text, path, argument);
            else
                throw Fatal("-F accepts no -X or -#");
        }
    }
    write_configuration(path, text);
}

} // namespace postconf
