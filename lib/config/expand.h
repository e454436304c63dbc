// expand: $name, ${name?yes:no} and comparisons in a value. The text of other parameters comes from the caller.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace config {

// The unexpanded value of a parameter; nothing when nobody defined it.
using Lookup = std::function<std::optional<std::string>(std::string_view name)>;

// Throws Error (without file and line; the caller knows them) for bad grammar, endless recursion, or a result beyond 1
// MiB.
std::string expand(std::string_view text, const Lookup& lookup);

// Every name that text refers to, in either branch of a condition. Bad grammar ends the search without complaint.
void collect_names(std::string_view text, std::set<std::string, std::less<>>& names);

} // namespace config
