// settings: what main.cf says about POP3 sessions, and the limits that have no parameter.
#pragma once

#include "percent_format.h"
#include "unique_ids.h"

#include "async/loop.h"
#include "config/config.h"
#include "store/lock.h"

#include <cstddef>
#include <string>

namespace pop3d {

PercentFormat logout_format(std::string_view text);         // throws BadFormat

struct Settings {
    async::Limit timeout{10 * 60'000};          // pop3d_timeout: for the next command
    async::Limit write_limit{5 * 60'000};       // a client that does not read
    size_t max_line = 1024;                     // RFC 2449 4: commands of 255 octets
    int bad_command_limit = 20;
    store::LockPolicy locks;
    bool lock_session = true;
    bool flag_updates = true;                   // retrieved messages become \Seen
    bool last = false;                          // there is LAST
    bool fast_sizes = false;
    std::string deleted_flag;                   // messages with this keyword are not shown
    bool delete_by_flag = false;                // QUIT gives it to them instead of removing them
    bool no_nuls = false, end_headers = false;  // pop3_client_workarounds
    UniqueIds unique_ids{unique_id_format("%08Xu%08Xv")};
    PercentFormat at_end = logout_format("top=%t/%p, retr=%r/%b, del=%d/%m, size=%s");
};

// What can't be used is warned of, and left as it is by default.
Settings settings_from(const config::Config& config);

} // namespace pop3d
