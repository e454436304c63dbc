#include "config/logical_lines.h"

#include "config/error.h"

#include "base/text.h"

#include <fmt/format.h>

namespace config {

std::vector<LogicalLine> logical_lines(std::string_view bytes, const std::string& file)
{
    std::vector<LogicalLine> lines;
    int number = 0;
    for (std::string_view line : base::split_exact(bytes, '\n')) {
        ++number;
        if (line.find('\0') != line.npos) throw Error(fmt::format("{}:{}: a NUL byte, expected text", file, number));
        auto text = base::trim(line);
        if (text.empty() || text.front() == '#') continue;
        if (!base::is_space(line.front())) {
            lines.push_back({std::string(text), number, number, {std::string(text)}});
            continue;
        }
        if (lines.empty())
            throw Error(fmt::format("{}:{}: white space before \"{}\", expected a first line that begins in column one",
                                    file, number, base::printable(text, 60)));
        lines.back().text.append(" ").append(text);
        lines.back().pieces.emplace_back(text);
        lines.back().last = number;
    }
    return lines;
}

} // namespace config
