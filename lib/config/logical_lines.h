// logical_lines: main.cf and master.cf share one shape: a line that begins with white space continues the one above,
// also over comment lines and empty ones.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace config {

struct LogicalLine {
    std::string text; // pieces joined by one space each
    int first = 0;    // line numbers, from 1; comment and empty lines behind the last piece are not counted in
    int last = 0;
    std::vector<std::string> pieces;
};

// Throws Error (with file and line) for a continuation line that continues nothing, and for a NUL byte.
std::vector<LogicalLine> logical_lines(std::string_view bytes, const std::string& file);

} // namespace config
