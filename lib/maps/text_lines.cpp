// text_lines: logical lines of Postfix's text files.
#include "maps/text_lines.h"

#include "base/text.h"

#include <fmt/format.h>

namespace maps {

std::string_view LogicalLines::physical()
{
    size_t end = text_.find('\n', at_);
    std::string_view line = text_.substr(at_, end == std::string_view::npos ? end : end - at_);
    at_ = end == std::string_view::npos ? text_.size() : end + 1;
    ++number_;
    return line;
}

bool LogicalLines::next(LogicalLine& into)
{
    bool begun = false;
    while (at_ < text_.size()) {
        size_t before = at_;
        std::string_view line = physical();
        std::string_view content = base::trim_left(line);
        if (content.empty() || content.front() == '#') continue;
        // White space before the first logical line continues nothing: it is taken as a line of its own.
        if (begun && !base::is_space(line.front())) {
            at_ = before;
            --number_;
            break;
        }
        if (!begun) into = {number_, number_, {}};
        into.last = number_;
        into.text += line;
        begun = true;
    }
    if (!begun) return false;
    into.text.resize(base::trim_right(into.text).size());
    return true;
}

std::string TextWarning::in(const std::string& file) const { return fmt::format("{}, line {}: {}", file, line, text); }

} // namespace maps
