// landlock: file access rules by the kernel's Landlock, where it has it.
#pragma once

#include <string>
#include <vector>

namespace sandbox {

// Afterwards only these can be opened. Paths that do not exist are passed over. Returns what went wrong, or "".
std::string restrict_files(const std::vector<std::string>& read, const std::vector<std::string>& write);

} // namespace sandbox
