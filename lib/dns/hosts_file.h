// hosts_file: names of /etc/hosts, read again when the file changes.
#pragma once

#include "net/address.h"

#include <chrono>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace dns {

class HostsFile {
public:
    explicit HostsFile(std::string path) : path_(std::move(path)) {}

    // Empty when the file does not have the name (any case).
    std::vector<net::Address> addresses(std::string_view name);
    // The first name on the address's line; empty when there is none.
    std::string name(const net::Address& address);

private:
    void refresh();
    void read(std::string_view text);

    std::string path_;
    int64_t stamp_ = -1;
    std::chrono::steady_clock::time_point looked_at_{};
    std::unordered_map<std::string, std::vector<net::Address>> addresses_;
    std::unordered_map<std::string, std::string> names_;
};

} // namespace dns
