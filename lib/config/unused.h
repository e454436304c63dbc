// unused: what main.cf sets and nobody obeys: names that we do not know, and names that we know but do not carry out
// yet.
#pragma once

#include <string>
#include <vector>

namespace config {

class Config;

// Names that are used by $name in main.cf or master.cf, or named in smtpd_restriction_classes, or that belong to a
// service or to a table such as ldap:name, are not unknown. folder: where master.cf lies; "" for none. Each line says
// file and line number.
std::vector<std::string> unknown_parameters(const Config& config, const std::string& folder);
// The same for the -o of services in master.cf alone.
std::vector<std::string> unknown_overrides(const Config& config, const std::string& folder);
// Parameters of the table that are accepted but not carried out yet.
std::vector<std::string> idle_parameters(const Config& config);

} // namespace config
