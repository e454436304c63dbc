// driver: what stands between a table and its servers. A driver is a loaded module, rookpost-TYPE.so, or built in. The interface is all
// virtual or inline: a module links nothing of ours, and programs link no client library. It is called on one thread, and may block no longer than the
// limits of its settings.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace maps::driver {

// The server did not answer, or broke off: the next one is asked. Any other exception of a driver is the query's own fault.
class ServerLost : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// The parameters of a table's file. Numbers out of bounds and unknown words throw std::runtime_error with the file and the line.
class Settings {
public:
    virtual ~Settings() = default;
    virtual std::optional<std::string> find(std::string_view name) const = 0;
    virtual int number(std::string_view name, int otherwise, int least, int most) const = 0;
    virtual bool flag(std::string_view name, bool otherwise) const = 0;
    virtual std::vector<std::string> list(std::string_view name) const = 0;     // split at white space and commas

    std::string text(std::string_view name, const std::string& otherwise = {}) const { return find(name).value_or(otherwise); }
};

class Connection {
public:
    virtual ~Connection() = default;
    // A piece of the key as it may stand inside the how manyth of Traits::patterns.
    virtual std::string quote(std::string_view text, size_t pattern) = 0;
    // The patterns, filled in. All values found, in the server's order; empty ones may be among them. Stops at the limits below.
    virtual std::vector<std::string> ask(const std::vector<std::string>& filled) = 0;
};

inline constexpr size_t most_values = 10000;
inline constexpr size_t most_bytes = 1 << 20;

struct Traits {
    std::vector<std::string> patterns;      // with %s, %u, %d …
    std::vector<std::string> servers;       // in the order in which they are tried
    bool only_utf8 = true;                  // other keys are not found
    bool connect_at_once = false;           // when the table is opened, while the program may still read its file
    bool keep = false;                      // an idle connection is not closed
    bool needs_internet = false;            // some server is not behind a Unix socket
    std::vector<std::string> reads;         // files that a connection opens
};

class Driver {
public:
    virtual ~Driver() = default;
    virtual std::unique_ptr<Connection> connect(const std::string& server) = 0;     // throws ServerLost

    Traits traits;
};

// Gathers values within the limits.
class Values {
public:
    void add(std::string_view value)
    {
        bytes_ += value.size();
        if (values_.size() >= most_values || bytes_ > most_bytes) throw std::runtime_error("the result is too large");
        values_.emplace_back(value);
    }
    std::vector<std::string> take() { return std::move(values_); }

private:
    std::vector<std::string> values_;
    size_t bytes_ = 0;
};

// SELECT for a file in the older form: select_field (or select_function), table, where_field and additional_conditions.
inline std::string select_of(const Settings& settings)
{
    if (auto query = settings.find("query")) return *query;
    if (auto function = settings.find("select_function")) return "SELECT " + *function + "('%s')";
    auto table = settings.find("table"), wanted = settings.find("select_field"), field = settings.find("where_field");
    if (!table || !wanted || !field) throw std::runtime_error("expected the parameter query");
    return "SELECT " + *wanted + " FROM " + *table + " WHERE " + *field + " = '%s' " + settings.text("additional_conditions");
}

// The servers of hosts: those behind Unix sockets first, and each kind in random order, so that the load is shared.
inline std::vector<std::string> shuffled_hosts(const Settings& settings)
{
    std::vector<std::string> hosts = settings.list("hosts");
    if (hosts.empty()) hosts = {"localhost"};
    std::shuffle(hosts.begin(), hosts.end(), std::minstd_rand(std::random_device()()));
    std::partition(hosts.begin(), hosts.end(), [](const std::string& host) { return host.starts_with("unix:"); });
    return hosts;
}

inline bool any_internet(const std::vector<std::string>& hosts)
{
    return std::any_of(hosts.begin(), hosts.end(), [](const std::string& host) { return !host.starts_with("unix:"); });
}

// "inet:host:port", "host:port", "host", "[address]:port"; port is empty when there is none.
struct HostPort {
    std::string host, port;
};
inline HostPort host_and_port(std::string text)
{
    if (text.starts_with("inet:")) text.erase(0, 5);
    size_t after = text.starts_with("[") ? text.find(']') : 0;
    size_t colon = after == text.npos ? text.npos : text.find(':', after);
    HostPort parts{text.substr(0, colon), colon == text.npos ? "" : text.substr(colon + 1)};
    if (after > 0 && after != text.npos) parts.host = parts.host.substr(1, after - 1);
    return parts;
}

// A module's one symbol, which makes a driver that its caller owns. The number changes when this file does.
using Factory = Driver* (*)(const Settings&);
inline constexpr const char* factory_name = "rookpost_table_driver_1";

} // namespace maps::driver

#define ROOKPOST_TABLE_DRIVER(Class) \
    extern "C" __attribute__((visibility("default"))) maps::driver::Driver* rookpost_table_driver_1(const maps::driver::Settings& settings) \
    { \
        return new Class(settings); \
    }
