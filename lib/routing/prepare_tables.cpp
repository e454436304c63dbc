// prepare_tables: any parameter may name a table.
#include "routing/prepare_tables.h"

namespace routing {

maps::TableNeeds prepare_tables(const config::Config& config)
{
    maps::TableNeeds needs;
    for (const auto& [name, setting] : config.settings) maps::prepare(config.find(name).value_or(""), needs);
    return needs;
}

} // namespace routing
