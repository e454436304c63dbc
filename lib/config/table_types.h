// table_types: the lookup table types and the lock methods that a configuration may name.
#pragma once

#include <string_view>

namespace config {

constexpr std::string_view table_types[] = {
    "btree",   "cidr",   "environ",   "fail",   "hash", "inline",   "pcre",     "pipemap", "proxy",
    "randmap", "regexp", "socketmap", "static", "tcp",  "texthash", "unionmap", "unix",
};

constexpr std::string_view lock_methods[] = {"flock", "fcntl", "dotlock"};

} // namespace config
