// sendmail_run: leaving sendmail: by becoming another command, or with an exit status and a word about it.
#pragma once

#include "config/config.h"

#include <string>
#include <vector>

namespace sendmail {

[[noreturn]] void fail(int status, const std::string& text);
// words[0] is a command of command_directory.
[[noreturn]] void run(const config::Config& config, std::vector<std::string> words);

} // namespace sendmail
