#include "filters/milter_settings.h"

#include "base/log.h"
#include "base/text.h"
#include "config/values.h"

namespace smtpd {
namespace {

// Of milter_default_action, in Postfix's words.
milter::Decision default_action(std::string_view word)
{
    if (word == "accept") return {};
    if (word == "reject") return {milter::Decision::refuse, "550 5.5.0 Service unavailable"};
    if (word == "tempfail") return {milter::Decision::refuse, "451 4.7.1 Service unavailable - try again later"};
    if (word == "quarantine") return {milter::Decision::hold, {}};
    if (word == "shutdown") return {milter::Decision::shut_down, {}};
    throw config::Error(fmt::format("milter_default_action: \"{}\", expected accept, reject, tempfail, quarantine or shutdown", word));
}

uint32_t version_of(const std::string& text)
{
    // "6", or "6 no_header_reply": the extensions are negotiated.
    auto words = base::split(text);
    auto version = words.empty() ? std::nullopt : base::number<uint32_t>(words[0]);
    if (!version || (*version != 2 && *version != 3 && *version != 4 && *version != 6))
        throw config::Error(fmt::format("milter_protocol: \"{}\", expected 2, 3, 4 or 6", text));
    return *version;
}

std::string address_of(const config::Config& config, const std::string& name)
{
    if (name.starts_with("inet:")) return name;
    if (!name.starts_with("unix:")) throw config::Error(fmt::format("milter \"{}\": expected inet:host:port or unix:path", name));
    std::string path = name.substr(5);
    return path.starts_with('/') ? path : config.queue_directory + "/" + path;
}

async::Limit time_of(const std::string& name, const std::string& value)
{
    auto time = config::to_seconds(value);
    if (!time) throw config::Error(fmt::format("milter setting {}: bad time \"{}\"", name, value));
    return *time;
}

void set_option(milter::Service& service, std::string_view option)
{
    auto [name_text, value_text, found] = base::cut(option, '=');
    std::string name(base::trim(name_text)), value(base::trim(value_text));
    if (!found) throw config::Error(fmt::format("milter {}: \"{}\", expected name=value", service.name, name));
    if (name == "connect_timeout")
        service.connect_timeout = time_of(name, value);
    else if (name == "command_timeout")
        service.command_timeout = time_of(name, value);
    else if (name == "content_timeout")
        service.content_timeout = time_of(name, value);
    else if (name == "default_action")
        service.when_broken = default_action(value);
    else if (name == "protocol")
        service.version = version_of(value);
    else
        throw config::Error(fmt::format("milter {}: unknown setting {}", service.name, name));
}

milter::MacroNames macro_names(const config::Config& config)
{
    milter::MacroNames names;
    auto set = [&](milter::Moment moment, const config::List& list) { names[static_cast<size_t>(moment)] = list; };
    set(milter::Moment::connect, config.milter_connect_macros);
    set(milter::Moment::helo, config.milter_helo_macros);
    set(milter::Moment::mail, config.milter_mail_macros);
    set(milter::Moment::rcpt, config.milter_rcpt_macros);
    set(milter::Moment::data, config.milter_data_macros);
    set(milter::Moment::end_of_header, config.milter_end_of_header_macros);
    set(milter::Moment::end_of_message, config.milter_end_of_data_macros);
    set(milter::Moment::unknown, config.milter_unknown_command_macros);
    return names;
}

milter::Service read_milter(const config::Config& config, std::string_view text)
{
    milter::Service service;
    service.version = version_of(config.milter_protocol);
    service.connect_timeout = config.milter_connect_timeout;
    service.command_timeout = config.milter_command_timeout;
    service.content_timeout = config.milter_content_timeout;
    service.when_broken = default_action(config.milter_default_action);
    service.macros = macro_names(config);
    std::vector<std::string> pieces{std::string(text)};
    if (text.starts_with('{') && text.ends_with('}')) pieces = config::to_list(text.substr(1, text.size() - 2));
    if (pieces.empty()) throw config::Error("a milter without a name: \"" + std::string(text) + "\"");
    service.name = pieces[0];
    service.address = address_of(config, pieces[0]);
    for (size_t i = 1; i < pieces.size(); ++i) {
        std::string_view option = pieces[i];
        if (option.starts_with('{') && option.ends_with('}')) option = option.substr(1, option.size() - 2);
        set_option(service, option);
    }
    return service;
}

// What the list is when it cannot be understood: no mail passes unfiltered.
milter::Service unusable(const std::string& parameter)
{
    milter::Service service;
    service.name = service.address = parameter;
    service.when_broken = default_action("tempfail");
    return service;
}

} // namespace

MilterSettings::Services read_milters(const config::Config& config, std::string_view list)
{
    MilterSettings::Services services;
    for (const auto& piece : config::to_list(list)) services.push_back(read_milter(config, piece));
    return services;
}

MilterSettings::MilterSettings(const config::Config& config, bool letterbox) : config_(config), daemon_name_(config.milter_macro_daemon_name)
{
    const char* parameter = letterbox ? "non_smtpd_milters" : "smtpd_milters";
    auto overrides = config.list("receive_override_options");
    bool switched_off = std::any_of(overrides.begin(), overrides.end(),
                                    [](const std::string& word) { return base::same_word(word, "no_milters"); });
    if (switched_off) return;
    try {
        services_ = read_milters(config, config.find(parameter).value_or(""));
    } catch (const config::Error& trouble) {
        base::log::warning("{}: {}", parameter, trouble.what());
        services_.push_back(unusable(parameter));
    }
    if (!letterbox) by_client_ = maps::Maps(config.smtpd_milter_maps);
    for (std::string_view piece : config::to_list(config.milter_macro_defaults)) {
        if (piece.starts_with('{') && piece.ends_with('}') && piece.find('=') != std::string_view::npos) piece = base::trim(piece.substr(1, piece.size() - 2));
        auto [name, value, found] = base::cut(piece, '=');
        std::string macro(base::trim(name));
        if (!found) {
            base::log::warning("milter_macro_defaults: \"{}\", expected name=value", piece);
            continue;
        }
        // A long name may stand there with braces or without; milters are sent it with them.
        if (macro.size() > 1 && macro.front() != '{') macro = "{" + macro + "}";
        defaults_[macro] = base::trim(value);
    }
}

bool MilterSettings::needs_internet() const
{
    return std::any_of(services_.begin(), services_.end(), [](const milter::Service& service) { return service.address.starts_with("inet:"); });
}

const MilterSettings::Services& MilterSettings::for_client(const std::string& address)
{
    static const Services none;
    std::optional<std::string> found;
    if (!by_client_.empty()) found = by_client_.find(address);
    if (!found) return services_;
    if (base::same_word(base::trim(*found), "DISABLE")) return none;
    auto known = named_.find(*found);
    if (known != named_.end()) return known->second;
    Services services;
    try {
        services = read_milters(config_, *found);
    } catch (const config::Error& trouble) {
        base::log::warning("smtpd_milter_maps: {}", trouble.what());
        services.push_back(unusable("smtpd_milter_maps"));
    }
    return named_.emplace(*found, std::move(services)).first->second;
}

const std::string* MilterSettings::default_value(std::string_view name) const
{
    auto found = defaults_.find(name);
    return found == defaults_.end() ? nullptr : &found->second;
}

} // namespace smtpd
