// edit: changes to the text of main.cf and master.cf that leave everything else as it is: comments, order, spacing.
#pragma once

#include "config/error.h"

#include <string>
#include <string_view>
#include <vector>

namespace config {

// main.cf: sets each name where it stands, or at the end. Of several entries for a name one stays.
std::string set_parameters(std::string_view text, const std::vector<Override>& settings);
std::string remove_parameters(std::string_view text, const std::vector<std::string>& names);
std::string comment_out_parameters(std::string_view text, const std::vector<std::string>& names);

// master.cf: services are named "name/type", where either may be "*".
bool service_matches(std::string_view pattern, std::string_view name, std::string_view type);
// entry: one whole entry, its lines without the last line end.
std::string set_service(std::string_view text, std::string_view service, std::string_view entry);
std::string remove_services(std::string_view text, const std::vector<std::string>& patterns);
std::string comment_out_services(std::string_view text, const std::vector<std::string>& patterns);

} // namespace config
