// memcache: memcache_table(5): a cache in front of another table, or a table of its own.
#pragma once

#include "maps/client_file.h"
#include "maps/map.h"

namespace maps {

bool memcache_needs_internet(const ClientFile& file);
std::unique_ptr<Map> open_memcache(const std::string& name, const Options& options);

} // namespace maps
