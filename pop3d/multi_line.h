// multi_line: a message as a multi-line response carries it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pop3d {

// Doubles the dots that start lines, in pieces of text with CRLF ends cut anywhere; ends the last line. RFC 1939 3.
class DotStuffer {
public:
    void add(std::string_view piece, std::string& out);
    void end(std::string& out);     // the line with the dot

private:
    bool at_line_start_ = true;
};

// The header, the empty line, and so many lines of the body, with line ends of either kind. RFC 1939 7, TOP.
std::string_view top_of(std::string_view message, uint64_t lines);

} // namespace pop3d
