// parameters: the one table of parameters (parameters.def), as a struct for those who obey it and as rows for those who
// print it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace config {

using Text = std::string;
using RawText = std::string; // $names stay: they are filled in by the program for every message
using Flag = bool;
using Number = int64_t;
using Seconds = std::chrono::milliseconds;
using List = std::vector<std::string>;

// One field for each parameter that the suite carries out. Values are expanded, converted and within their bounds.
struct Parameters {
#define PARAMETER(Type, name, initial, min, max, owner, text) Type name{};
#define BY_NAME(Type, name, initial, min, max, owner, text)
#define KNOWN(Type, name, initial, min, max, owner, text)
#include "config/parameters.def"
#undef PARAMETER
#undef BY_NAME
#undef KNOWN
};

enum class Type { Text, RawText, Flag, Number, Seconds, List };

struct Row {
    std::string_view name;
    Type type;
    std::string_view initial;  // the default, unexpanded
    std::string_view min, max; // "" is no limit
    std::string_view owner;
    std::string_view text; // for the manual
    bool carried_out;      // false: accepted, and named in a warning when it is set
};

std::span<const Row> table();               // sorted by name
const Row* find_row(std::string_view name); // null when there is no such parameter
std::string_view type_name(Type type);      // "yes or no", "number", "time" …

// transport_destination_concurrency_limit and its kin: the default of NAME_suffix for whatever service NAME. Nothing
// when the name has no such suffix.
struct ServiceParameter {
    std::string_view service;
    std::string_view suffix;
    std::string_view initial;
    Type type;
};
std::optional<ServiceParameter> service_parameter(std::string_view name);
// All names that the deliveries of a service have: "smtp" gives smtp_destination_concurrency_limit and so on, sorted.
std::vector<std::string> service_parameter_names(std::string_view service);

} // namespace config
