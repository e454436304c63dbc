// file_table: what tables in files have in common.
#include "maps/file_table.h"

#include <fmt/format.h>

namespace maps {

std::optional<std::string> FileTable::find(std::string_view key)
{
    if (seldom_.due()) refresh();
    if (!failure_.empty()) throw Unavailable(failure_);
    return look_up(key);
}

void FileTable::refresh()
{
    if (loaded_ && failure_.empty() && !changed()) return;
    failure_.clear();
    loaded_ = true;
    try {
        load();
    } catch (const std::exception& why) {
        failure_ = fmt::format("table {}: {}", name(), why.what());
    }
}

void FileTable::must_load()
{
    loaded_ = false;
    refresh();
    if (!failure_.empty()) throw Unavailable(failure_);
}

} // namespace maps
