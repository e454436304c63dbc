#include "context.h"

#include "base/log.h"
#include "base/text.h"

namespace auth {

Context::Context(Rules given) : rules(std::move(given))
{
    std::vector<std::string> unknown;
    mechanisms = offered_mechanisms(rules.mechanisms, unknown);
    for (const auto& name : unknown)
        base::log::warning("auth_mechanisms: {} is not available", base::printable(name, 40));
    for (const auto& path : rules.passwd_files) {
        files.emplace_back(path);
        files.back().look();
    }
}

void Context::drain()
{
    draining = true;
    for (Drainable* each : open) each->drain();
}

} // namespace auth
