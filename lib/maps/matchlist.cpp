// matchlist: lists of patterns in parameters.
#include "maps/matchlist.h"
#include "maps/address_search.h"
#include "maps/file_stamp.h"
#include "maps/network.h"
#include "maps/table_text.h"
#include "maps/witness.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"

#include <utility>

#include <fmt/format.h>

namespace maps {

namespace {

constexpr int deepest_file = 10;    // a file may name files, but not itself for ever

// What is asked: a text or domain, or a host with its address in all forms that a pattern may have.
struct Question {
    std::string_view name;
    std::string_view address_text;
    std::optional<Address> address, unmapped;
};

class Item {
public:
    virtual ~Item() = default;
    // Nothing: this pattern has no opinion.
    virtual std::optional<bool> ask(const Question& question) = 0;
};

using Items = std::vector<std::unique_ptr<Item>>;

std::optional<bool> ask_all(const Items& items, const Question& question)
{
    for (const auto& item : items) {
        if (auto answer = item->ask(question)) return answer;
    }
    return std::nullopt;
}

std::optional<bool> when(bool fits, bool negated)
{
    if (!fits) return std::nullopt;
    return !negated;
}

struct Context {
    Matching matching;
    MatchOptions options;
    int depth = 0;
};

Items parse(const std::vector<std::string>& patterns, const Context& context);

class NameItem final : public Item {
public:
    NameItem(std::string_view pattern, bool negated, const Context& context) : pattern_(pattern), negated_(negated), context_(context) {}
    std::optional<bool> ask(const Question& question) override { return when(fits(question), negated_); }

private:
    bool fits(const Question& question) const
    {
        if (!question.address_text.empty() && base::same_word(question.address_text, pattern_)) return true;
        std::string_view name = question.name;
        if (base::same_word(name, pattern_)) return true;
        if (context_.matching == Matching::strings || name.size() <= pattern_.size() || !base::ends_with_word(name, pattern_)) return false;
        if (context_.options.parents) return name[name.size() - pattern_.size() - 1] == '.';
        return pattern_.starts_with('.');
    }

    std::string pattern_;
    bool negated_;
    Context context_;
};

class NetworkItem final : public Item {
public:
    NetworkItem(Network network, bool negated) : network_(network), negated_(negated) {}
    std::optional<bool> ask(const Question& question) override
    {
        bool fits = question.address && network_.contains(*question.address);
        if (!fits) fits = question.unmapped && network_.contains(*question.unmapped);
        return when(fits, negated_);
    }

private:
    Network network_;
    bool negated_;
};

class TableItem final : public Item {
public:
    TableItem(const std::string& name, bool negated, const Context& context) : negated_(negated), context_(context)
    {
        table_.add(name, context.options.tables);
    }
    std::optional<bool> ask(const Question& question) override { return when(fits(question), negated_); }

private:
    bool fits(const Question& question)
    {
        if (!question.address_text.empty() && has(question.address_text)) return true;
        if (question.name.empty()) return false;
        if (context_.matching == Matching::strings) return has(question.name);
        std::string_view name = question.name;
        for (bool whole = true; !name.empty(); whole = false) {
            if ((whole || table_.tables().front()->fixed_strings()) && has(name)) return true;
            size_t dot = name.find('.', 1);
            if (dot == name.npos) break;
            name.remove_prefix(context_.options.parents ? dot + 1 : dot);
        }
        return false;
    }
    // Only the key counts here: an empty value is as good as any.
    bool has(std::string_view key)
    {
        Map& table = *table_.tables().front();
        auto found = table.find(key);
        if (found) tell_witness(table, key, *found);
        return found.has_value();
    }

    Maps table_;
    bool negated_;
    Context context_;
};

// The patterns of a file, read again when it changed.
class FileItem final : public Item {
public:
    FileItem(std::string path, bool negated, Context context)
        : path_(std::move(path)), negated_(negated), context_(context), seldom_(context.options.tables.recheck)
    {
        ++context_.depth;
    }
    std::optional<bool> ask(const Question& question) override
    {
        if (seldom_.due() && (!loaded_ || stamp_of(path_) != stamp_)) load();
        if (!failure_.empty()) throw Unavailable(failure_);
        auto answer = ask_all(items_, question);
        if (answer && negated_) return !*answer;
        return answer;
    }

private:
    void load()
    {
        loaded_ = true;
        failure_.clear();
        stamp_ = stamp_of(path_);
        try {
            if (context_.depth > deepest_file) throw Unavailable("files name each other too deeply");
            std::string text = base::read_file(path_);
            std::vector<std::string> patterns;
            LogicalLines lines(text);
            LogicalLine line;
            while (lines.next(line)) {
                for (std::string& piece : split_list(line.text)) patterns.push_back(std::move(piece));
            }
            items_ = parse(patterns, context_);
        } catch (const std::exception& why) {
            items_.clear();
            failure_ = fmt::format("pattern file {}: {}", path_, why.what());
            loaded_ = false;
        }
    }

    std::string path_;
    bool negated_;
    Context context_;
    Seldom seldom_;
    FileStamp stamp_;
    bool loaded_ = false;
    std::string failure_;
    Items items_;
};

// A pattern that means nothing: whoever gets so far in the list learns it, rather than being let in or out by chance.
class BrokenItem final : public Item {
public:
    explicit BrokenItem(std::string why) : why_(std::move(why)) {}
    std::optional<bool> ask(const Question&) override { throw Unavailable(why_); }

private:
    std::string why_;
};

std::unique_ptr<Item> parse_item(std::string_view text, const Context& context)
{
    bool negated = false;
    std::string_view pattern = text;
    for (; pattern.starts_with('!'); pattern.remove_prefix(1)) negated = !negated;
    if (pattern.empty()) {
        base::log::warning("no pattern after '!' in \"{}\"", base::printable(text, 100));
        return std::make_unique<BrokenItem>(fmt::format("no pattern after '!' in \"{}\"", base::printable(text, 100)));
    }
    if (pattern.front() == '/') return std::make_unique<FileItem>(std::string(pattern), negated, context);
    if (context.matching == Matching::hosts) {
        // A colon may be IPv6's or a table's: what reads as a network is one.
        Network::Parsed parsed = Network::parse(pattern);
        if (parsed.network) return std::make_unique<NetworkItem>(*parsed.network, negated);
        if (!is_table_name(pattern) && pattern.find_first_of("/[") != pattern.npos) {
            base::log::warning("{}", parsed.error);
            return std::make_unique<BrokenItem>(parsed.error);
        }
    }
    if (is_table_name(pattern)) return std::make_unique<TableItem>(std::string(pattern), negated, context);
    return std::make_unique<NameItem>(pattern, negated, context);
}

Items parse(const std::vector<std::string>& patterns, const Context& context)
{
    Items items;
    for (const std::string& pattern : patterns) items.push_back(parse_item(pattern, context));
    return items;
}

} // namespace

std::vector<std::string> split_list(std::string_view text)
{
    std::vector<std::string> pieces;
    std::string piece;
    int depth = 0;
    for (char c : text) {
        if (depth == 0 && (c == ',' || base::is_space(c))) {
            if (!piece.empty()) pieces.push_back(std::exchange(piece, {}));
            continue;
        }
        if (c == '{') ++depth;
        if (c == '}' && depth > 0) --depth;
        piece += c;
    }
    if (!piece.empty()) pieces.push_back(std::move(piece));
    return pieces;
}

struct MatchList::Body {
    Items items;
};

MatchList::MatchList() = default;
MatchList::MatchList(MatchList&&) noexcept = default;
MatchList& MatchList::operator=(MatchList&&) noexcept = default;
MatchList::~MatchList() = default;

MatchList::MatchList(std::string_view patterns, Matching matching, const MatchOptions& options)
    : MatchList(split_list(patterns), matching, options)
{
}

MatchList::MatchList(const std::vector<std::string>& patterns, Matching matching, const MatchOptions& options)
    : body_(std::make_unique<Body>(Body{parse(patterns, Context{matching, options})}))
{
}

bool MatchList::empty() const { return !body_ || body_->items.empty(); }

bool MatchList::matches(std::string_view text) { return matches(text, {}); }

bool MatchList::matches(std::string_view name, std::string_view address)
{
    if (empty()) return false;
    Question question{name, address, Address::parse(address), {}};
    if (question.address) question.unmapped = question.address->unmapped();
    return ask_all(body_->items, question).value_or(false);
}

} // namespace maps
