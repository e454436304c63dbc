// exit_status: what the end of a command means for the mail that it was given.
#pragma once

#include "async/child.h"
#include "order.h"

#include <string>
#include <string_view>

namespace local_delivery {

// output: what the command wrote, made printable, on one line. success: the report's text if it succeeded.
Report judge(const async::ExitStatus& status, const std::string& command, const std::string& success, const std::string& output);
Report judge_timeout(const std::string& command, const std::string& output);
// The beginning of a command's output as one line for replies and the log.
std::string one_line(std::string_view output);

} // namespace local_delivery
