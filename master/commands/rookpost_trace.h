// rookpost_trace: the story of one message, told from the log and the queue.
#pragma once

#include "config/config.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rookpost {

// One log line about a queue id, for people; nothing when it is about another.
struct LogLine {
    std::string time, program, text;
};
std::optional<LogLine> read_log_line(std::string_view line, std::string_view id);
// What the line says in plain words.
std::string plain_words(const LogLine& line);

// Ids, or message-ids. 0 when something was found of each.
int trace(const config::Config& config, const std::vector<std::string>& ids);

} // namespace rookpost
