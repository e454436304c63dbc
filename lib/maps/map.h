// map: look-up tables by Postfix's "type:name". One interface, many types; which file format stands behind a name is not the caller's
// business. A Map belongs to one thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace maps {

// A look-up that cannot be carried out: says which table and why. The caller answers 4xx or defers; it never takes it for "not found".
class Unavailable : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

enum class Syntax { table, aliases };   // of the text behind an index: postmap's, or postalias's

struct Options {
    Syntax syntax = Syntax::table;
    bool fold_case = true;                              // keys of fixed-string tables are looked up in lower case
    std::chrono::milliseconds recheck{1000};            // how often a file is looked at for changes
};

class Map {
public:
    explicit Map(std::string name) : name_(std::move(name)) {}
    virtual ~Map() = default;
    Map(const Map&) = delete;
    Map& operator=(const Map&) = delete;

    virtual std::optional<std::string> find(std::string_view key) = 0;
    // False for patterns (regexp, pcre, cidr …): those are asked for whole keys only, never for parts of an address or domain.
    virtual bool fixed_strings() const { return true; }
    const std::string& name() const { return name_; }   // "hash:/etc/aliases"

private:
    std::string name_;
};

// Throws Unavailable for an unknown type or an unusable name. A file that is missing or unreadable is reported by find(), and tried
// again later.
std::unique_ptr<Map> open(const std::string& type_and_name, const Options& options = {});

// Adds a type from a higher floor or a loaded module (socketmap, mysql …). The opener gets the part after "type:".
using Opener = std::function<std::unique_ptr<Map>(const std::string& name, const Options&)>;
void add_type(const std::string& type, Opener opener);
std::vector<std::string> types();                       // sorted; for postconf -m

// A piece with a colon whose left side is a word names a table: "hash:/etc/x", but not "[::1]" or "/file".
bool is_table_name(std::string_view text);

enum class Key { whole, partial };

// A list of tables, searched in order. A table that cannot be opened answers every look-up with Unavailable.
class Maps {
public:
    Maps() = default;
    explicit Maps(const std::vector<std::string>& names, const Options& options = {});

    void add(const std::string& name, const Options& options = {});
    std::optional<std::string> find(std::string_view key, Key kind = Key::whole);
    bool empty() const { return tables_.empty(); }
    const std::vector<std::unique_ptr<Map>>& tables() const { return tables_; }

private:
    std::vector<std::unique_ptr<Map>> tables_;
};

} // namespace maps
