// settings: what main.cf says about POP3 sessions, and the limits that have no parameter.
#pragma once

#include "async/loop.h"
#include "config/config.h"
#include "store/lock.h"

#include <cstddef>

namespace pop3d {

struct Settings {
    async::Limit timeout{10 * 60'000};          // pop3d_timeout: for the next command
    async::Limit write_limit{5 * 60'000};       // a client that does not read
    size_t max_line = 1024;                     // RFC 2449 4: commands of 255 octets
    int bad_command_limit = 20;
    store::LockPolicy locks;
};

Settings settings_from(const config::Config& config);

} // namespace pop3d
