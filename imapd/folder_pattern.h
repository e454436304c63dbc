// folder_pattern: LIST's patterns: '*' is anything, '%' anything within one level.
#pragma once

#include <string_view>

namespace imapd {

// Takes time for the product of both lengths at most, whatever the pattern. INBOX is the same in any case.
bool matches_pattern(std::string_view pattern, std::string_view name, char separator);

} // namespace imapd
