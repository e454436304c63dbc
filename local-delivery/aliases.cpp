#include "aliases.h"

#include "base/text.h"
#include "config/config.h"
#include "routing/recipients.h"

#include <sys/stat.h>

#include <algorithm>

namespace local_delivery {
namespace {

// Somebody who may change the text or its index may say what is run: the first of their owners who is not root.
uid_t owner_of(std::string_view table)
{
    while (table.starts_with("proxy:")) table.remove_prefix(6);
    base::Cut name = base::cut(table, ':');
    constexpr std::string_view files[] = {"hash", "btree", "dbm", "cdb", "lmdb", "sdbm", "texthash", "regexp", "pcre"};
    if (std::find(std::begin(files), std::end(files), name.before) == std::end(files)) return 0;
    for (const char* ending : {"", ".db", ".cdb", ".lmdb"}) {
        struct stat info{};
        std::string path = std::string(name.after) + ending;
        if (::stat(path.c_str(), &info) == 0 && info.st_uid != 0) return info.st_uid;
    }
    return 0;
}

} // namespace

Aliases::Aliases(const config::Config& config) : tables_(routing::open_local_tables(config.alias_maps, config)) {}

std::optional<Alias> Aliases::find(const std::string& name)
{
    for (const auto& table : tables_.tables())
        if (auto value = table->find(name)) return Alias{*value, owner_of(table->name())};
    return std::nullopt;
}

} // namespace local_delivery
