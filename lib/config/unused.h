// unused: what main.cf sets and nobody obeys: names that we do not know, and names that we know but do not carry out yet.
#pragma once

#include <string>
#include <vector>

namespace config {

class Config;

// Warnings, each with file and line. Names that are used by $name in main.cf or master.cf, or named in
// smtpd_restriction_classes, or that belong to a service or to a table such as ldap:name, are not unknown.
// folder: where master.cf lies; "" for none.
std::vector<std::string> unused_parameters(const Config& config, const std::string& folder);

} // namespace config
