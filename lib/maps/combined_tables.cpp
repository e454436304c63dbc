// combined_tables: unionmap, pipemap and randmap, made of other tables or of values.
#include "maps/map_types.h"
#include "maps/table_text.h"

#include "base/random.h"

#include <algorithm>

#include <fmt/format.h>

namespace maps {

namespace {

std::vector<std::string> members_of(const std::string& type, const std::string& text)
{
    auto members = split_braces(text);
    if (!members || members->empty()) {
        const char* expected = type == "randmap" ? "value..." : "type:name...";
        throw Unavailable(fmt::format("bad syntax: \"{0}:{1}\"; need \"{0}:{{{2}}}\"", type, text, expected));
    }
    for (std::string& member : *members) member = without_braces(member);
    return *members;
}

class CombinedMap : public Map {
public:
    CombinedMap(const std::string& type, const std::string& text, const Options& options) : Map(type + ":" + text)
    {
        for (const std::string& member : members_of(type, text)) tables_.push_back(open(member, options));
    }
    bool fixed_strings() const final
    {
        return std::all_of(tables_.begin(), tables_.end(), [](const auto& table) { return table->fixed_strings(); });
    }

protected:
    std::vector<std::unique_ptr<Map>> tables_;
};

// All that its tables find, joined by commas.
class UnionMap final : public CombinedMap {
public:
    using CombinedMap::CombinedMap;
    std::optional<std::string> find(std::string_view key) override
    {
        std::optional<std::string> all;
        for (const auto& table : tables_) {
            auto found = table->find(key);
            if (!found) continue;
            if (all) *all += "," + *found;
            else all = std::move(found);
        }
        return all;
    }
};

// What one table finds is the key for the next.
class PipeMap final : public CombinedMap {
public:
    using CombinedMap::CombinedMap;
    std::optional<std::string> find(std::string_view key) override
    {
        std::optional<std::string> found(key);
        for (const auto& table : tables_) {
            found = table->find(*found);
            if (!found) break;
        }
        return found;
    }
};

class RandomMap final : public Map {
public:
    explicit RandomMap(const std::string& text) : Map("randmap:" + text), values_(members_of("randmap", text)) {}
    std::optional<std::string> find(std::string_view) override { return values_[base::random_below(values_.size())]; }
    bool fixed_strings() const override { return false; }

private:
    std::vector<std::string> values_;
};

} // namespace

std::unique_ptr<Map> open_unionmap(const std::string& name, const Options& options) { return std::make_unique<UnionMap>("unionmap", name, options); }
std::unique_ptr<Map> open_pipemap(const std::string& name, const Options& options) { return std::make_unique<PipeMap>("pipemap", name, options); }
std::unique_ptr<Map> open_randmap(const std::string& name, const Options&) { return std::make_unique<RandomMap>(name); }

} // namespace maps
