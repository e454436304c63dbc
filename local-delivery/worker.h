// worker: the process that delivers with the rights of one uid. It ends when the supervisor closes the channel and all orders are done.
#pragma once

#include "ipc/channel.h"
#include "order.h"

#include <sys/types.h>

#include <string>
#include <vector>

namespace config {
class Config;
}

namespace local_delivery {

// Who a worker is.
struct Identity {
    uid_t uid = 0;
    gid_t gid = 0;
    bool supplementary = false;     // with the other groups of the user
    bool commands = false;          // may start programs
    std::string chroot = {};        // the folder that it takes for the whole world; empty: /
    auto operator<=>(const Identity&) const = default;
};

struct WorkerSettings {
    Identity identity;
    std::vector<gid_t> groups;
    bool change_user = false;       // started as root
    bool sandboxed = true;
    bool for_virtual = false;       // lock as virtual(8)
};

// To be called in the forked child: gives up everything of the supervisor's but its log, becomes who it is, serves, and exits.
[[noreturn]] void run_worker(base::Fd channel, const WorkerSettings& settings, const config::Config& config);

} // namespace local_delivery
