// machine: defaults that only this machine knows: its name and its networks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace config::machine {

std::string hostname(); // gethostname(); "localhost" when that is empty or no name
// mynetworks for mynetworks_style host, subnet or class: "127.0.0.0/8 192.0.2.0/24 [::1]/128".
std::string networks(std::string_view style, const std::vector<std::string>& interfaces, std::string_view protocols);

} // namespace config::machine
