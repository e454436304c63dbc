// modules: table types whose client libraries not every machine has: each is a file rookpost-TYPE.so, loaded when the first table of that
// type is opened.
#pragma once

#include "maps/client_file.h"
#include "maps/driver.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace maps {

// Where modules are looked for, beside the folder "modules" in the program's own: "FOLDER/modules". For commands, which do not live where
// the programs do.
void add_module_folder(const std::string& daemon_directory);

bool is_module_type(std::string_view type);                     // known by name, whether it is installed or not
std::vector<std::string> installed_module_types();              // sorted
// Loads the module on first use; it stays. Throws Unavailable: no such module, or what it says about the settings.
std::unique_ptr<driver::Driver> make_driver(const std::string& type, const driver::Settings& settings);

} // namespace maps
