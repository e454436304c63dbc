// queue_client: asking the running queue manager, for postqueue and postsuper. Blocking.
#pragma once

#include "config/config.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace commands {

struct QueueAnswer {
    bool reached = false;       // false: the mail system is down
    bool failed = false;
    std::string last_line;
};

// Sends the words; each piece of the answer goes to `take`, cut at line ends.
QueueAnswer ask_queue_manager(const config::Config& config, const std::vector<std::string>& words,
                              const std::function<void(std::string_view lines)>& take);

} // namespace commands
