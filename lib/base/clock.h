// clock: wall time for people and files, steady time for limits.
#pragma once

#include <chrono>
#include <string>

namespace base {

using Wall = std::chrono::system_clock::time_point;
using Steady = std::chrono::steady_clock::time_point;
using Duration = std::chrono::milliseconds;

inline Wall wall_now() { return std::chrono::system_clock::now(); }
inline Steady steady_now() { return std::chrono::steady_clock::now(); }
inline int64_t unix_seconds(Wall when) { return std::chrono::duration_cast<std::chrono::seconds>(when.time_since_epoch()).count(); }

// RFC 5322 3.3, in local time: "Sun, 22 Nov 2026 20:50:19 +0000 (UTC)".
std::string mail_date(Wall when);
// "Nov 22 20:50:19", local time, as syslog writes it.
std::string log_date(Wall when);

} // namespace base
