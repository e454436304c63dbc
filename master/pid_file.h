// pid_file: one master for one queue: a lock that ends with the process, and its pid for those who signal it.
#pragma once

#include "base/fd.h"

#include <optional>
#include <string>
#include <sys/types.h>

namespace master {

// Nothing when another master holds it. The lock lasts as long as the descriptor.
std::optional<base::Fd> take_lock(const std::string& queue_folder);
// The pid of the master that holds the lock; nothing when none does.
std::optional<pid_t> running_master(const std::string& queue_folder);

} // namespace master
