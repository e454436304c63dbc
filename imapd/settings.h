// settings: what main.cf says about IMAP sessions, and the limits that have no parameter.
#pragma once

#include "async/loop.h"
#include "config/config.h"
#include "store/lock.h"

#include <cstddef>
#include <cstdint>

namespace imapd {

struct Settings {
    async::Limit timeout{30 * 60'000};    // imapd_timeout: for the next command
    async::Limit idle_limit{30 * 60'000}; // imapd_idle_limit
    async::Limit write_limit{5 * 60'000}; // a client that does not read
    async::Limit still_here{2 * 60'000};  // in IDLE: a word now and then keeps address translators awake
    async::Limit poll{30'000};            // in IDLE: where the kernel won't tell of changes
    size_t max_line = 65536;              // imapd_max_line
    size_t literal_limit = 64 << 10;      // of any literal but APPEND's message
    uint64_t message_size_limit = 0;      // 0: none
    int bad_command_limit = 20;
    store::LockPolicy locks;
};

Settings settings_from(const config::Config& config);

} // namespace imapd
