// text_lines: logical lines of Postfix's text files: '#' lines and empty ones are left out, white space continues a line.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace maps {

struct LogicalLine {
    int first = 0, last = 0;   // line numbers
    std::string text;          // joined, trimmed at the right
};

class LogicalLines {
public:
    explicit LogicalLines(std::string_view text) : text_(text) {}
    bool next(LogicalLine& into);

private:
    std::string_view physical();

    std::string_view text_;
    size_t at_ = 0;
    int number_ = 0;
};

// What a parser has to say about a line it leaves out or doubts; put "FILE, " before it.
struct TextWarning {
    int line = 0;
    std::string text;
    std::string in(const std::string& file) const;   // "FILE, line N: text"
};

} // namespace maps
