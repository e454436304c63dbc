// server_map: which server is asked, and what becomes of its values.
#include "maps/server_map.h"

#include "base/log.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace maps {

ServerRules ServerRules::of(const ClientFile& file)
{
    ServerRules rules;
    rules.domains = file.text("domain");
    rules.result_format = file.text("result_format", file.text("result_filter", "%s"));
    rules.expansion_limit = file.number("expansion_limit", 0, 0, 1 << 30);
    rules.idle = std::chrono::seconds(file.number("idle_interval", 60, 1, 86400));
    rules.retry = std::chrono::seconds(file.number("retry_interval", 60, 1, 86400));
    return rules;
}

ServerMap::ServerMap(std::string name, std::unique_ptr<driver::Driver> driver, const ServerRules& rules, const Options& options)
    : Map(std::move(name)), driver_(std::move(driver)), rules_(rules), domains_(rules.domains, Matching::strings), fold_(options.fold_case)
{
    try {
        for (const std::string& text : driver_->traits.patterns) patterns_.emplace_back(text);
        if (!rules.result_format.empty()) result_.emplace(rules.result_format);
    } catch (const std::runtime_error& why) {
        fail(why.what());
    }
    if (driver_->traits.servers.empty()) fail("no server is named");
    for (const std::string& server : driver_->traits.servers) {
        servers_.emplace_back();
        servers_.back().name = server;
    }
    if (!driver_->traits.connect_at_once) return;
    for (Server& server : servers_) {
        try {
            server.connection = driver_->connect(server.name);
            server.used = base::steady_now();
        } catch (const driver::ServerLost& why) {
            lost(server, why.what(), base::steady_now());
        }
    }
}

ServerMap::~ServerMap() = default;

void ServerMap::fail(const std::string& why) const { throw Unavailable(fmt::format("table {}: {}", name(), base::printable(why, 500))); }

// domain: "user" and "@domain" are never asked for, nor bare domains.
bool ServerMap::concerns(std::string_view key)
{
    if (key.find('\0') != key.npos || (driver_->traits.only_utf8 && !base::is_utf8(key))) return false;
    if (rules_.domains.empty()) return true;
    auto address = base::cut_last(key, '@');
    return address.found && !address.before.empty() && !address.after.empty() && domains_.matches(address.after);
}

std::optional<std::string> ServerMap::find(std::string_view key)
{
    std::string wanted = fold_ ? base::lower(key) : std::string(key);
    if (wanted.empty() || !concerns(wanted)) return std::nullopt;
    for (const QueryPattern& pattern : patterns_)
        if (!pattern.fill(wanted, wanted)) return std::nullopt;
    return join(ask(wanted), wanted);
}

std::vector<std::string> ServerMap::ask(std::string_view key)
{
    auto now = base::steady_now();
    if (!driver_->traits.keep)
        for (Server& server : servers_)
            if (now - server.used > rules_.idle) server.connection.reset();
    // Who is connected comes first.
    std::vector<Server*> order;
    for (bool connected : {true, false})
        for (Server& server : servers_)
            if ((server.connection != nullptr) == connected) order.push_back(&server);
    for (Server* server : order) {
        if (!server->connection && now < server->retry_at) continue;
        auto began = base::steady_now();
        try {
            return ask(*server, key);
        } catch (const driver::ServerLost& why) {
            lost(*server, why.what(), began);
        } catch (const std::exception& why) {
            fail(why.what());
        }
    }
    std::string reasons;
    for (const Server& server : servers_) reasons += (reasons.empty() ? "" : "; ") + (server.name.empty() ? "" : server.name + ": ") + server.failure;
    fail(reasons);
}

std::vector<std::string> ServerMap::ask(Server& server, std::string_view key)
{
    if (server.connection) {
        // A server that was restarted meanwhile has forgotten the connection: that is no failure yet.
        try {
            auto values = server.connection->ask(fill(*server.connection, key));
            server.used = base::steady_now();
            return values;
        } catch (const driver::ServerLost&) {
            server.connection.reset();
        }
    }
    server.connection = driver_->connect(server.name);
    auto values = server.connection->ask(fill(*server.connection, key));
    server.used = base::steady_now();
    return values;
}

std::vector<std::string> ServerMap::fill(driver::Connection& connection, std::string_view key) const
{
    std::vector<std::string> filled;
    for (size_t i = 0; i < patterns_.size(); ++i)
        filled.push_back(patterns_[i].fill(key, key, [&](std::string_view text) { return connection.quote(text, i); }).value_or(""));
    return filled;
}

// A server that refuses at once costs nothing and is soon tried again; one that lets us wait is left alone for longer.
void ServerMap::lost(Server& server, const std::string& why, base::Steady began)
{
    constexpr int patience = 10;
    auto now = base::steady_now();
    server.connection.reset();
    server.failure = why;
    auto pause = std::clamp<base::Steady::duration>((now - began) * patience, std::chrono::seconds(1), std::max(rules_.retry, std::chrono::seconds(1)));
    server.retry_at = now + pause;
}

std::optional<std::string> ServerMap::join(const std::vector<std::string>& values, std::string_view key) const
{
    std::optional<std::string> joined;
    int count = 0;
    for (const std::string& value : values) {
        std::optional<std::string> formed = value;
        if (result_) {
            if (value.empty()) {
                base::log::warning("table \"{}\": empty lookup result for: \"{}\" -- ignored", name(), base::printable(key, 200));
                continue;
            }
            formed = result_->fill(value, key);
        }
        if (!formed) continue;
        if (rules_.expansion_limit > 0 && ++count > rules_.expansion_limit)
            fail(fmt::format("expansion limit exceeded for key: '{}'", base::printable(key, 200)));
        if (joined) *joined += "," + *formed;
        else joined = std::move(formed);
        if (joined->size() > driver::most_bytes) fail("the result is too large");
    }
    return joined;
}

} // namespace maps
