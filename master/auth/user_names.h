// user_names: from what somebody typed to the names that may stand in our tables.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace auth {

struct NameRules {
    std::string format = "%Lu"; // auth_username_format
    std::string allowed;        // auth_username_chars; "": all but control characters
    std::string default_realm;
    std::vector<std::string> local_domains; // names of system users stand without these; lower case
};

// The names to try, best first: as it stands, then without a domain that is ours. Empty when no name of ours looks like
// that.
std::vector<std::string> names_to_try(std::string_view typed, const NameRules& rules);

// %u the name, %n before its last @, %d behind; L or U between % and letter for lower or upper case; %% is one %.
std::optional<std::string> format_name(std::string_view format, std::string_view name);

} // namespace auth
