// open: which type is made by what, and lists of tables.
#include "maps/map.h"
#include "maps/map_types.h"
#include "maps/memcache.h"
#include "maps/modules.h"
#include "maps/witness.h"

#include "base/log.h"
#include "base/text.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace maps {

namespace {

template <const char* Type> std::unique_ptr<Map> indexed(const std::string& name, const Options& options)
{
    return open_indexed(Type, name, options);
}

constexpr char hash_type[] = "hash", btree_type[] = "btree", lmdb_type[] = "lmdb", cdb_type[] = "cdb", dbm_type[] = "dbm";

std::unique_ptr<Map> open_proxy(const std::string& name, const Options& options) { return open(name, options); }

std::map<std::string, Opener, std::less<>>& openers()
{
    // lmdb, cdb and dbm name the same texts; our index stands for theirs.
    static std::map<std::string, Opener, std::less<>> known{
        {"hash", indexed<hash_type>},   {"btree", indexed<btree_type>}, {"lmdb", indexed<lmdb_type>}, {"cdb", indexed<cdb_type>},
        {"dbm", indexed<dbm_type>},     {"texthash", open_texthash},    {"inline", open_inline},      {"static", open_static},
        {"fail", open_fail},            {"environ", open_environ},      {"unix", open_unix},          {"proxy", open_proxy},
        {"regexp", open_regexp},        {"pcre", open_pcre},            {"cidr", open_cidr},          {"unionmap", open_unionmap},
        {"pipemap", open_pipemap},      {"randmap", open_randmap},      {"tcp", open_tcp},            {"socketmap", open_socketmap},
        {"memcache", open_memcache},
    };
    return known;
}

// Stands for a table that could not be opened at all: each look-up says why.
class BrokenMap final : public Map {
public:
    BrokenMap(const std::string& name, std::string why) : Map(name), why_(std::move(why)) {}
    std::optional<std::string> find(std::string_view) override { throw Unavailable(why_); }

private:
    std::string why_;
};

thread_local Witness witness_of_thread;

} // namespace

void set_witness(Witness witness) { witness_of_thread = std::move(witness); }

void tell_witness(const Map& table, std::string_view key, std::string_view value)
{
    if (witness_of_thread) witness_of_thread(table, key, value);
}

bool is_table_name(std::string_view text)
{
    auto cut = base::cut(text, ':');
    if (!cut.found || cut.before.empty()) return false;
    return std::all_of(cut.before.begin(), cut.before.end(), [](char c) { return base::is_alnum(c) || c == '_' || c == '-'; });
}

void add_type(const std::string& type, Opener opener) { openers()[type] = std::move(opener); }

std::vector<std::string> types()
{
    std::vector<std::string> names;
    for (const auto& [type, opener] : openers()) names.push_back(type);
    for (std::string& type : installed_module_types()) names.push_back(std::move(type));
    std::sort(names.begin(), names.end());
    return names;
}

std::unique_ptr<Map> open(const std::string& type_and_name, const Options& options)
{
    auto cut = base::cut(type_and_name, ':');
    if (!cut.found) throw Unavailable(fmt::format("need \"type:name\" form instead of: \"{}\"", type_and_name));
    if (is_module_type(cut.before)) return open_module(std::string(cut.before), std::string(cut.after), options);
    auto found = openers().find(cut.before);
    if (found == openers().end()) throw Unavailable(fmt::format("unsupported dictionary type: {} ({})", cut.before, type_and_name));
    return found->second(std::string(cut.after), options);
}

Maps::Maps(const std::vector<std::string>& names, const Options& options)
{
    for (const std::string& name : names) add(name, options);
}

void Maps::add(const std::string& name, const Options& options)
{
    try {
        tables_.push_back(open(name, options));
    } catch (const Unavailable& why) {
        base::log::warning("{}", why.what());
        tables_.push_back(std::make_unique<BrokenMap>(name, why.what()));
    }
}

std::optional<std::string> Maps::find(std::string_view key, Key kind)
{
    for (const auto& table : tables_) {
        if (kind == Key::partial && !table->fixed_strings()) continue;
        auto found = table->find(key);
        if (!found) continue;
        // An empty answer is most likely a fault of the table; "not found" would be a guess with somebody's mail.
        if (found->empty()) throw Unavailable(fmt::format("table {}: look-up of \"{}\" gives an empty result", table->name(), base::printable(key, 200)));
        tell_witness(*table, key, *found);
        return found;
    }
    return std::nullopt;
}

} // namespace maps
