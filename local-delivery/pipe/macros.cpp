#include "pipe/macros.h"

#include "base/text.h"
#include "config/error.h"
#include "config/expand.h"
#include "mail/address.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace local_delivery {
namespace {

using Names = std::set<std::string, std::less<>>;

// What a macro may ask for.
struct Facts {
    const PipeAttributes& attributes;
    const spool::Deliver& job;
    const spool::Recipient* recipient;      // null while a word without recipients is expanded
    std::string_view delimiters;
    bool special;
};

std::string folded_domain(const Facts& facts, std::string_view text) { return facts.attributes.fold_domain ? mail::fold_case(text) : std::string(text); }

std::string folded_user(const Facts& facts, std::string_view text) { return facts.attributes.fold_user ? mail::fold_case(text) : std::string(text); }

std::string whole_address(const Facts& facts, const std::string& address)
{
    auto [local, domain, has_domain] = mail::split_address(address);
    std::string text = folded_user(facts, local);
    if (facts.attributes.quote) text = mail::quote_local(text);
    if (has_domain) text += "@" + folded_domain(facts, domain);
    return text;
}

std::string sender(const Facts& facts)
{
    const std::string& sender = facts.job.sender.empty() ? facts.attributes.null_sender : facts.job.sender;
    return facts.attributes.quote && !sender.empty() ? mail::to_external(sender) : sender;
}

std::string local_part(const Facts& facts) { return folded_user(facts, mail::split_address(facts.recipient->address).local); }

// "+box@host" is a shared folder of nobody's (Cyrus): there the extension is all.
bool has_no_user(const Facts& facts, const std::string& local)
{
    return !local.empty() && facts.delimiters.find(local.front()) != facts.delimiters.npos;
}

std::string user(const Facts& facts)
{
    std::string local = local_part(facts);
    if (has_no_user(facts, local)) return {};
    return std::string(mail::split_extension(local, facts.delimiters, facts.special).user);
}

std::string extension(const Facts& facts)
{
    std::string local = local_part(facts);
    if (has_no_user(facts, local)) return local.substr(1);
    return std::string(mail::split_extension(local, facts.delimiters, facts.special).extension);
}

struct Macro {
    std::string_view name;
    bool of_recipient;
    std::string (*value)(const Facts&);
};
constexpr Macro macros[] = {
    {"client_address", false, [](const Facts& facts) { return facts.job.client_address; }},
    {"client_helo", false, [](const Facts& facts) { return facts.job.helo; }},
    {"client_hostname", false, [](const Facts& facts) { return facts.job.client_name; }},
    {"client_port", false, [](const Facts& facts) { return facts.job.client_port; }},
    {"client_protocol", false, [](const Facts& facts) { return facts.job.protocol; }},
    {"domain", true, [](const Facts& facts) { return folded_domain(facts, mail::split_address(facts.recipient->address).domain); }},
    {"envid", false, [](const Facts& facts) { return facts.job.envid; }},
    {"extension", true, extension},
    {"mailbox", true, local_part},
    {"nexthop", false, [](const Facts& facts) { return folded_domain(facts, facts.job.nexthop); }},
    {"original_recipient", true,
     [](const Facts& facts) { return whole_address(facts, facts.recipient->original.empty() ? facts.recipient->address : facts.recipient->original); }},
    {"queue_id", false, [](const Facts& facts) { return facts.job.queue_id; }},
    {"recipient", true, [](const Facts& facts) { return whole_address(facts, facts.recipient->address); }},
    {"sasl_method", false, [](const Facts& facts) { return facts.job.sasl_method; }},
    {"sasl_sender", false, [](const Facts& facts) { return facts.job.sasl_sender; }},
    {"sasl_username", false, [](const Facts& facts) { return facts.job.sasl_username; }},
    {"sender", false, sender},
    {"size", false, [](const Facts& facts) { return std::to_string(facts.job.content_length); }},
    {"user", true, user},
};

const Macro* find_macro(std::string_view name)
{
    auto found = std::find_if(std::begin(macros), std::end(macros), [&](const Macro& macro) { return macro.name == name; });
    return found == std::end(macros) ? nullptr : found;
}

Names names_in(const std::string& word)
{
    Names names;
    config::collect_names(word, names);
    return names;
}

std::string fill_in(const std::string& word, const Facts& facts)
{
    return config::expand(word, [&](std::string_view name) -> std::optional<std::string> {
        const Macro* macro = find_macro(name);
        if (!macro) return std::nullopt;
        std::string value = macro->value(facts);
        // An argument ends at its first NUL, and what a stranger wrote is no macro.
        return base::replace_all(std::string_view(value).substr(0, value.find('\0')), "$", "$$");
    });
}

} // namespace

void check_pipe_macros(const std::vector<std::string>& words)
{
    for (const std::string& word : words) {
        for (const std::string& name : names_in(word))
            if (!find_macro(name)) throw config::Error(fmt::format("unknown macro name ${} in \"{}\"", base::printable(name), base::printable(word)));
        config::expand(word, [](std::string_view) { return std::string(); });     // its grammar
    }
}

std::vector<std::string> pipe_command_line(const PipeAttributes& attributes, const spool::Deliver& job, std::string_view delimiters, bool special)
{
    std::vector<std::string> line;
    for (const std::string& word : attributes.argv) {
        Names names = names_in(word);
        bool repeated = std::any_of(names.begin(), names.end(), [](const std::string& name) { return find_macro(name) && find_macro(name)->of_recipient; });
        if (!repeated) {
            line.push_back(fill_in(word, Facts{attributes, job, nullptr, delimiters, special}));
            continue;
        }
        for (const spool::Recipient& recipient : job.recipients) {
            Facts facts{attributes, job, &recipient, delimiters, special};
            if (names.count("user") && user(facts).empty()) continue;
            line.push_back(fill_in(word, facts));
        }
    }
    return line;
}

} // namespace local_delivery
