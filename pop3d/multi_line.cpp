#include "multi_line.h"

namespace pop3d {

void DotStuffer::add(std::string_view piece, std::string& out)
{
    while (!piece.empty()) {
        if (at_line_start_ && piece.front() == '.') out += '.';
        size_t end = piece.find('\n');
        size_t length = end == std::string_view::npos ? piece.size() : end + 1;
        out += piece.substr(0, length);
        at_line_start_ = end != std::string_view::npos;
        piece.remove_prefix(length);
    }
}

void DotStuffer::end(std::string& out)
{
    if (!at_line_start_) out += "\r\n";
    at_line_start_ = true;
    out += ".\r\n";
}

std::string_view top_of(std::string_view message, uint64_t lines)
{
    size_t position = 0;
    auto next_line = [&] {
        size_t end = message.find('\n', position);
        auto line = message.substr(position, end == std::string_view::npos ? end : end + 1 - position);
        position += line.size();
        return line;
    };
    while (position < message.size()) {
        auto line = next_line();
        if (line == "\n" || line == "\r\n") break;
    }
    for (; lines > 0 && position < message.size(); --lines) next_line();
    return message.substr(0, position);
}

} // namespace pop3d
