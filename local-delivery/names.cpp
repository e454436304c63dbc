#include "names.h"

#include "base/log.h"
#include "base/text.h"
#include "config/error.h"
#include "config/expand.h"
#include "mail/address.h"

#include <algorithm>
#include <cstdlib>

namespace local_delivery {
namespace {

// Other people's characters never become syntax.
std::string filtered(std::string_view value, std::string_view allowed)
{
    std::string text(value);
    if (allowed.empty()) return text;
    std::replace_if(text.begin(), text.end(), [&](char c) { return allowed.find(c) == allowed.npos; }, '_');
    return text;
}

bool uses(std::string_view text, std::string_view name)
{
    for (auto form : {"${" + std::string(name) + "}", "$(" + std::string(name) + ")", "$" + std::string(name)})
        if (text.find(form) != text.npos) return true;
    return false;
}

} // namespace

bool lists(const config::List& list, std::string_view word)
{
    return std::any_of(list.begin(), list.end(), [&](const std::string& item) { return base::same_word(item, word); });
}

Parts parts_of(const std::string& address, const config::Config& config)
{
    Parts parts;
    parts.address = address;
    std::string folded = mail::fold_case(address);
    auto [local, domain, has_domain] = mail::split_address(folded);
    parts.local = local;
    parts.domain = domain;
    auto split = mail::split_extension(parts.local, config.recipient_delimiter, config.owner_request_special);
    parts.user = split.user;
    if (split.delimiter == 0) return parts;
    // An extension becomes part of file names.
    if (split.extension.find('/') != split.extension.npos || split.extension.find('\0') != split.extension.npos) return parts;
    parts.extension = split.extension;
    parts.delimiter = split.delimiter;
    return parts;
}

std::string fill_in(std::string_view text, const Parts& parts, const sandbox::User* user, std::string_view filter)
{
    auto value_of = [&](std::string_view name) -> std::optional<std::string> {
        if (name == "user") return parts.user;
        if (name == "local" || name == "mailbox") return parts.local;
        if (name == "domain") return parts.domain;
        if (name == "recipient") return parts.address;
        if (name == "extension") return parts.extension;
        if (name == "recipient_delimiter") return parts.delimiter;
        if (user && name == "home") return user->home;
        if (user && name == "shell") return user->shell;
        return std::nullopt;
    };
    return config::expand(text, [&](std::string_view name) -> std::optional<std::string> {
        auto value = value_of(name);
        if (!value) return std::nullopt;
        return base::replace_all(filtered(*value, filter), "$", "$$");
    });
}

std::vector<ForwardPath> forward_paths(const config::Config& config, const Parts& parts, const sandbox::User& user)
{
    std::vector<ForwardPath> paths;
    for (auto pattern : base::split(config.forward_path)) {
        bool names_extension = uses(pattern, "extension");
        if (parts.extension.empty() && (names_extension || uses(pattern, "recipient_delimiter"))) continue;
        try {
            std::string path = fill_in(pattern, parts, &user, config.forward_expansion_filter);
            if (path.starts_with('/')) paths.push_back({std::move(path), names_extension});
        } catch (const config::Error& fault) {
            base::log::warning("forward_path: {}", fault.what());
        }
    }
    return paths;
}

std::vector<std::string> environment_of_all(const config::Config& config)
{
    std::vector<std::string> list{"PATH=/usr/bin:/bin"};
    for (const std::string& item : config.export_environment) {
        if (item.find('=') != item.npos) list.push_back(item);
        else if (const char* value = ::getenv(item.c_str())) list.push_back(item + "=" + value);
    }
    return list;
}

std::vector<std::string> environment(const config::Config& config, const spool::Deliver& job, const spool::Recipient& recipient,
                                     const std::string& sender, const Parts& parts, const sandbox::User* user)
{
    std::vector<std::string> list = environment_of_all(config);
    auto add = [&](const char* name, std::string_view value) { list.push_back(std::string(name) + "=" + std::string(value.substr(0, value.find('\0')))); };
    auto add_filtered = [&](const char* name, std::string_view value) {
        if (!value.empty()) add(name, filtered(value, config.command_expansion_filter));
    };
    if (user) {
        add("HOME", user->home);
        add("LOGNAME", user->name);
        add("USER", user->name);
        add("SHELL", user->shell.empty() ? "/bin/sh" : user->shell);
    }
    add_filtered("SENDER", sender.empty() ? "MAILER-DAEMON" : std::string_view(sender));
    add_filtered("RECIPIENT", parts.address);
    add_filtered("ORIGINAL_RECIPIENT", recipient.original.empty() ? recipient.address : recipient.original);
    add_filtered("LOCAL", parts.local);
    add_filtered("DOMAIN", parts.domain);
    add_filtered("EXTENSION", parts.extension);
    add_filtered("CLIENT_ADDRESS", job.client_address);
    add_filtered("CLIENT_HELO", job.helo);
    add_filtered("CLIENT_HOSTNAME", job.client_name);
    add_filtered("CLIENT_PROTOCOL", job.protocol);
    add_filtered("SASL_METHOD", job.sasl_method);
    add_filtered("SASL_SENDER", job.sasl_sender);
    add_filtered("SASL_USERNAME", job.sasl_username);
    add_filtered("ENVID", job.envid);
    return list;
}

} // namespace local_delivery
