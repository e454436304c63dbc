// text_drivers: tcp_table(5)'s and socketmap_table(5)'s protocols, as drivers of ServerMap.
#pragma once

#include "maps/driver.h"

#include <memory>
#include <string>

namespace maps {

// name: "host:port". Throws std::runtime_error for another form, as does the next.
std::unique_ptr<driver::Driver> tcp_driver(const std::string& name);
// name: "inet:host:port:map" or "unix:path:map".
std::unique_ptr<driver::Driver> socketmap_driver(const std::string& name);

} // namespace maps
