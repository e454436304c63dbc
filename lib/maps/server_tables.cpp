// server_tables: opening tables behind servers, and what they need of the sandbox.
#include "maps/map_types.h"
#include "maps/memcache.h"
#include "maps/modules.h"
#include "maps/prepare.h"
#include "maps/server_map.h"
#include "maps/text_drivers.h"

#include "base/fd.h"
#include "base/text.h"

#include <fmt/format.h>

#include <map>
#include <mutex>

namespace maps {

namespace {

// Files as they were before rights were given up.
struct Prepared {
    std::mutex mutex;
    std::map<std::string, std::string, std::less<>> texts;
};

Prepared& prepared()
{
    static Prepared all;
    return all;
}

std::unique_ptr<driver::Driver> text_driver(const std::string& type, const std::string& name)
{
    try {
        return type == "tcp" ? tcp_driver(name) : socketmap_driver(name);
    } catch (const std::runtime_error& why) {
        throw Unavailable(why.what());
    }
}

void remember(const std::string& path)
{
    std::string text = base::read_file(path, 1 << 20);
    std::lock_guard lock(prepared().mutex);
    prepared().texts[path] = std::move(text);
}

void add_needs(const driver::Traits& traits, TableNeeds& needs)
{
    needs.internet |= traits.needs_internet;
    for (const std::string& file : traits.reads) needs.read.emplace_back(base::cut_last(file, '/').before);
}

void prepare_table(const std::string& type, const std::string& name, TableNeeds& needs)
{
    if (type == "tcp" || type == "socketmap") return add_needs(text_driver(type, name)->traits, needs);
    remember(name);
    ClientFile file = ClientFile::read(name);
    if (type != "memcache") return add_needs(make_driver(type, file)->traits, needs);
    needs.internet |= memcache_needs_internet(file);
    if (auto backup = file.find("backup")) prepare(*backup, needs);
}

} // namespace

void prepare(std::string_view setting, TableNeeds& needs)
{
    for (std::string_view piece : base::split(setting, " \t\r\n,{}")) {
        if (base::starts_with_word(piece, "proxy:")) piece.remove_prefix(6);
        auto cut = base::cut(piece, ':');
        std::string type(cut.before);
        if (!cut.found || !(is_module_type(type) || type == "tcp" || type == "socketmap" || type == "memcache")) continue;
        try {
            prepare_table(type, std::string(cut.after), needs);
        } catch (const std::exception&) {
            // Whoever opens the table hears why.
        }
    }
}

std::optional<std::string> prepared_text(const std::string& path)
{
    std::lock_guard lock(prepared().mutex);
    auto found = prepared().texts.find(path);
    if (found == prepared().texts.end()) return std::nullopt;
    return found->second;
}

std::unique_ptr<Map> open_tcp(const std::string& name, const Options& options)
{
    return std::make_unique<ServerMap>("tcp:" + name, text_driver("tcp", name), ServerRules{}, options);
}

std::unique_ptr<Map> open_socketmap(const std::string& name, const Options& options)
{
    ServerRules rules;
    rules.idle = std::chrono::seconds(10);      // socketmap_max_idle's kin in Postfix: servers give each connection a process
    return std::make_unique<ServerMap>("socketmap:" + name, text_driver("socketmap", name), rules, options);
}

std::unique_ptr<Map> open_module(const std::string& type, const std::string& name, const Options& options)
{
    ClientFile file = ClientFile::read(name);
    try {
        ServerRules rules = ServerRules::of(file);
        return std::make_unique<ServerMap>(type + ":" + name, make_driver(type, file), rules, options);
    } catch (const Unavailable&) {
        throw;
    } catch (const std::exception& why) {
        throw Unavailable(why.what());
    }
}

} // namespace maps
