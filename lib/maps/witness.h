// witness: who is told which tables answered, for those who explain decisions.
#pragma once

#include "maps/map.h"

#include <functional>
#include <string_view>

namespace maps {

// Told of each table that gives an answer to this thread's look-ups. Nobody is told at first.
using Witness = std::function<void(const Map& table, std::string_view key, std::string_view value)>;
void set_witness(Witness witness);
void tell_witness(const Map& table, std::string_view key, std::string_view value);

} // namespace maps
