// queue_id: the name of a message, in the form of Postfix's long queue ids: time-ordered, never reused.
//
//   4gBqk9 x1yZ b z 1f      seconds since 1970, base 52, at least six digits · microseconds, base 52, four digits · "z" · a number, base 51
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace spool {

std::string make_queue_id(int64_t microseconds, uint64_t number);
// Microseconds since 1970; nothing when this is no queue id. Everything that names a file by an id asks here first.
std::optional<int64_t> queue_id_time(std::string_view id);
inline bool is_queue_id(std::string_view id) { return queue_id_time(id).has_value(); }

} // namespace spool
