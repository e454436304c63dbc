// postmap_actions: what postmap and postalias do with their tables.
#include "postmap_actions.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "maps/map.h"

#include <unistd.h>

#include <cstdio>
#include <optional>

#include <fmt/format.h>

namespace postmap {

namespace {

struct Table {
    std::string type, path;
    std::string name() const { return type + ":" + path; }
};

Table table_of(const std::string& text, const std::string& default_type)
{
    auto cut = base::cut(text, ':');
    if (!cut.found) return {default_type, text};
    return {std::string(cut.before), std::string(cut.after)};
}

// lmdb and its kin stand for the same texts; our index serves them.
std::optional<maps::IndexKind> index_kind(const std::string& type)
{
    if (type == "btree") return maps::IndexKind::btree;
    for (const char* other : {"hash", "lmdb", "cdb", "dbm"}) {
        if (type == other) return maps::IndexKind::hash;
    }
    return std::nullopt;
}

maps::BuildOptions build_options(const Table& table, const Wishes& wishes)
{
    auto kind = index_kind(table.type);
    if (!kind) throw maps::Unavailable("unsupported map type for this operation: " + table.type);
    maps::BuildOptions options = wishes.build;
    options.kind = *kind;
    return options;
}

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

int build(const Wishes& wishes)
{
    for (const std::string& file : wishes.files) {
        Table table = table_of(file, wishes.default_type);
        maps::BuildOptions options = build_options(table, wishes);
        if (wishes.incremental) maps::add_to_index(table.path, base::read_all(STDIN_FILENO, "standard input"), "stdin", options);
        else maps::build_index(table.path, options);
    }
    return 0;
}

// The lines of standard input, as keys.
std::vector<std::string> keys_of(const Wishes& wishes)
{
    if (wishes.key != "-") return {wishes.key};
    std::string input = base::read_all(STDIN_FILENO, "standard input");
    std::vector<std::string> keys;
    for (std::string_view line : base::split_exact(input, '\n')) {
        if (!line.empty()) keys.emplace_back(line);
    }
    return keys;
}

// A message on standard input: its header fields, unfolded lines kept together, and the lines of its body.
std::vector<std::string> message_keys(const Wishes& wishes)
{
    std::string input = base::read_all(STDIN_FILENO, "standard input");
    std::vector<std::string> keys;
    bool in_header = true;
    for (std::string_view line : base::split_exact(input, '\n')) {
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (in_header && line.empty()) {
            in_header = false;
        } else if (in_header) {
            if (!wishes.header_keys) continue;
            if (!keys.empty() && base::is_space(line.front())) keys.back() += "\n" + std::string(line);
            else keys.emplace_back(line);
        } else if (wishes.body_keys && !line.empty()) {
            keys.emplace_back(line);
        }
    }
    return keys;
}

std::string shown(const std::string& value, const Wishes& wishes)
{
    if (!wishes.build.values_are_files) return value;
    auto decoded = base::from_base64(value);
    if (!decoded) throw maps::Unavailable("the value is not base64; was the table made with -F?");
    return *decoded;
}

int query(const Wishes& wishes)
{
    maps::Options options;
    options.syntax = wishes.build.syntax;
    options.fold_case = wishes.build.fold_case;
    std::vector<std::unique_ptr<maps::Map>> tables;
    for (const std::string& file : wishes.files) tables.push_back(maps::open(table_of(file, wishes.default_type).name(), options));
    bool from_input = wishes.key == "-", found_any = false;
    for (const std::string& key : wishes.header_keys || wishes.body_keys ? message_keys(wishes) : keys_of(wishes)) {
        for (const auto& table : tables) {
            auto found = table->find(key);
            if (!found) continue;
            if (found->empty()) base::log::warning("table {}: key {}: empty string result is not allowed", table->name(), key);
            found_any = true;
            print((from_input ? key + "\t" : std::string()) + shown(*found, wishes) + "\n");
            break;
        }
    }
    return found_any ? 0 : 1;
}

int erase(const Wishes& wishes)
{
    std::vector<std::string> keys = keys_of(wishes);
    size_t erased = 0;
    for (const std::string& file : wishes.files) {
        Table table = table_of(file, wishes.default_type);
        erased += maps::erase_from_index(table.path, keys, build_options(table, wishes));
    }
    return erased > 0 ? 0 : 1;
}

int list(const Wishes& wishes)
{
    bool aliases = wishes.build.syntax == maps::Syntax::aliases;
    for (const std::string& file : wishes.files) {
        Table table = table_of(file, wishes.default_type);
        if (!index_kind(table.type)) throw maps::Unavailable(fmt::format("table {}: sequence operation is not supported", table.name()));
        maps::IndexReader reader(table.path + ".db");
        reader.for_each([&](std::string_view key, std::string_view value) {
            print(fmt::format("{}{}\t{}\n", key, aliases ? ":" : "", shown(std::string(value), wishes)));
        });
    }
    return 0;
}

} // namespace

int carry_out(const Wishes& wishes)
{
    switch (wishes.action) {
    case Action::build: return build(wishes);
    case Action::query: return query(wishes);
    case Action::erase: return erase(wishes);
    case Action::list: return list(wishes);
    }
    return 1;
}

} // namespace postmap
