// sockets: the listening sockets of one line of master.cf.
#pragma once

#include "programs.h"

#include "base/fd.h"
#include "config/config.h"
#include "config/master_cf.h"

#include <string>
#include <vector>

namespace master {

// Where a service listens, in words: "inet 127.0.0.1:25", "unix private/smtp". Throws config::Error when the name is no address.
std::vector<std::string> socket_names(const config::Config& config, const config::Service& service, const Program& program);

struct Socket {
    std::string name;
    base::Fd fd;
};
// Opens one of them. Throws base::SystemError.
Socket open_socket(const config::Config& config, const std::string& name, Wire wire);

} // namespace master
