// manual: the parameter pages, printed from the table.
#pragma once

#include <string>
#include <string_view>

namespace config {

// The whole of main.cf(5) in roff (man macros).
std::string manual();
// The parameters of one owner (smtpd, qmgr …) as a section of its own page. Empty when there is no such owner.
std::string manual_section(std::string_view owner);
// A text for roff: backslashes, dots and quotes at the start of a line, and hyphens made safe.
std::string roff(std::string_view text);

} // namespace config
