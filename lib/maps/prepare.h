// prepare: what tables behind servers need before a program gives up its rights: their modules loaded, their files (with passwords)
// read, and a word on what the sandbox must leave open.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace maps {

struct TableNeeds {
    bool internet = false;                  // sockets of the internet
    std::vector<std::string> read;          // folders
};

// setting: the value of a parameter, in which tables such as "proxy:mysql:/etc/users.cf" may be named. What is wrong with a table is not
// said here but when it is opened. Call it before other threads run.
void prepare(std::string_view setting, TableNeeds& needs);

// The text of a file that prepare() has read.
std::optional<std::string> prepared_text(const std::string& path);

} // namespace maps
