#include "context.h"

#include "base/log.h"
#include "base/random.h"
#include "base/text.h"

#include <algorithm>

namespace auth {
namespace {

Sources sources_of(const Rules& rules)
{
    Sources sources;
    for (const auto& word : rules.passdbs) {
        if (auto source = make_source(word))
            sources.push_back(std::move(source));
        else
            base::log::warning("auth_passdbs: \"{}\" is not known; expected passwd-file:FILE, pam:SERVICE, shadow "
                               "or table:TYPE:NAME",
                               base::printable(word, 100));
    }
    if (!rules.passdbs.empty()) return sources;
    for (const auto& path : rules.passwd_files) sources.push_back(files_source(path));
    if (rules.pam) sources.push_back(pam_source(rules.pam_service));
    return sources;
}

} // namespace

Context::Context(Rules given)
    : rules(std::move(given)), cache(rules.cache_size, rules.cache_lifetime, rules.cache_wrong_lifetime),
      sources(sources_of(rules)), secret(base::random_bytes(32))
{
    std::vector<std::string> unknown;
    mechanisms = offered_mechanisms(rules.mechanisms, unknown);
    for (const auto& name : unknown)
        base::log::warning("auth_mechanisms: {} is not available", base::printable(name, 40));
    for (const auto& path : rules.master_files) masters.push_back(files_source(path));
}

bool Context::asks_pam() const
{
    return std::any_of(sources.begin(), sources.end(), [](const auto& source) { return source->checks_itself(); });
}

void Context::drain()
{
    draining = true;
    for (Drainable* each : open) each->drain();
}

} // namespace auth
