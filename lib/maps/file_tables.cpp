// file_tables: hash, btree and texthash. An index that is missing, older than its text or unreadable is no trap: the text is read.
#include "maps/aliases_text.h"
#include "maps/berkeley.h"
#include "maps/file_table.h"
#include "maps/map_types.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"

#include <unordered_map>

#include <fmt/format.h>

namespace maps {

namespace {

struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
using TextTable = std::unordered_map<std::string, std::string, TextHash, std::equal_to<>>;

TextTable read_text(const std::string& path, const Options& options)
{
    std::string text = base::read_file(path);
    ParsedText parsed = options.syntax == Syntax::aliases ? parse_aliases(text) : parse_table(text);
    for (const TextWarning& warning : parsed.warnings) base::log::warning("{}", warning.in(path));
    TextTable table;
    table.reserve(parsed.entries.size());
    for (Entry& entry : parsed.entries) {
        std::string key = options.fold_case ? base::lower(entry.key) : std::move(entry.key);
        if (!table.emplace(key, std::move(entry.value)).second)
            base::log::warning("{}, line {}: duplicate entry: \"{}\"", path, entry.line, base::printable(key, 200));
    }
    return table;
}

std::optional<std::string> find_in(const TextTable& table, std::string_view key)
{
    auto found = table.find(key);
    if (found == table.end()) return std::nullopt;
    return found->second;
}

class TextHashMap final : public FileTable {
public:
    TextHashMap(const std::string& path, const Options& options) : FileTable("texthash:" + path, options), path_(path) {}

protected:
    bool changed() override { return stamp_of(path_) != stamp_; }
    void load() override
    {
        stamp_ = stamp_of(path_);
        table_ = read_text(path_, options());
    }
    std::optional<std::string> look_up(std::string_view key) override
    {
        return options().fold_case ? find_in(table_, base::lower(key)) : find_in(table_, key);
    }

private:
    std::string path_;
    FileStamp stamp_;
    TextTable table_;
};

class IndexedMap final : public FileTable {
public:
    IndexedMap(const std::string& type, const std::string& path, const Options& options)
        : FileTable(type + ":" + path, options), text_path_(path), index_path_(path + ".db")
    {
    }

protected:
    bool changed() override { return stamp_of(index_path_) != index_stamp_ || stamp_of(text_path_) != text_stamp_; }

    void load() override
    {
        index_stamp_ = stamp_of(index_path_);
        text_stamp_ = stamp_of(text_path_);
        index_.reset();
        table_.clear();
        std::string trouble = open_index();
        if (trouble.empty()) {
            warned_ = false;
            return;
        }
        if (!text_stamp_.there()) throw Unavailable(trouble);
        table_ = read_text(text_path_, options());
        if (!warned_) base::log::warning("{}; {} is read instead", trouble, text_path_);
        warned_ = true;
    }

    std::optional<std::string> look_up(std::string_view key) override
    {
        std::string wanted = options().fold_case ? base::lower(key) : std::string(key);
        if (wanted.empty()) return std::nullopt;
        if (index_ && !index_->current()) must_load();
        if (!index_) return find_in(table_, wanted);
        try {
            return index_->find(wanted);
        } catch (const Unavailable&) {
            must_load();   // a foreign postmap may have been at work; a second failure is the caller's
            return index_ ? index_->find(wanted) : find_in(table_, wanted);
        }
    }

private:
    // Empty when the index serves; else why it does not.
    std::string open_index()
    {
        if (!index_stamp_.there()) return fmt::format("open {}: {}", index_path_, base::error_text(index_stamp_.error));
        if (text_stamp_.there() && text_stamp_.modified > index_stamp_.modified)
            return fmt::format("database {} is older than source file {}", index_path_, text_path_);
        try {
            index_ = std::make_unique<IndexReader>(index_path_);
        } catch (const Unavailable& why) {
            return why.what();
        }
        return {};
    }

    std::string text_path_, index_path_;
    FileStamp index_stamp_, text_stamp_;
    std::unique_ptr<IndexReader> index_;
    TextTable table_;
    bool warned_ = false;
};

} // namespace

std::unique_ptr<Map> open_indexed(const std::string& type, const std::string& name, const Options& options)
{
    return std::make_unique<IndexedMap>(type, name, options);
}

std::unique_ptr<Map> open_texthash(const std::string& name, const Options& options)
{
    return std::make_unique<TextHashMap>(name, options);
}

} // namespace maps
