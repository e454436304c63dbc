// prepare_tables: tables behind servers that the configuration names, made ready before rights are given up.
#pragma once

#include "config/config.h"
#include "maps/prepare.h"

namespace routing {

maps::TableNeeds prepare_tables(const config::Config& config);

} // namespace routing
