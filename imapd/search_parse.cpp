// The grammar of SEARCH: search-key.
#include "search.h"

#include "base/text.h"
#include "mail/charset.h"
#include "mail/encoded_word.h"

#include <fmt/format.h>

#include <algorithm>

namespace imapd {

namespace {

constexpr int depth_limit = 50;
constexpr size_t key_limit = 2000;

using Kind = SearchKey::Kind;

class Parser {
public:
    Parser(Arguments& arguments, std::time_t now) : arguments_(arguments), now_(now) {}

    SearchKey all(CharsetPlace place)
    {
        arguments_.space();
        bool named = place == CharsetPlace::optional && arguments_.skip_keyword("CHARSET");
        if (named || place == CharsetPlace::first) {
            if (named) arguments_.space();
            charset_ = arguments_.astring();
            if (!mail::known_charset(charset_)) throw UnknownCharset(charset_);
            arguments_.space();
        }
        SearchKey key = list(0);
        arguments_.end();
        return key;
    }

private:
    // search-key *(SP search-key): all of them must be met.
    SearchKey list(int depth)
    {
        SearchKey together;
        together.kind = Kind::both;
        do together.keys.push_back(one(depth));
        while (arguments_.skip(' '));
        if (together.keys.size() > 1) {
            cheap_first(together.keys);
            return together;
        }
        SearchKey only = std::move(together.keys.front());
        return only;
    }

    static void cheap_first(std::vector<SearchKey>& keys)
    {
        std::vector<SearchKey> sorted;
        for (int cost = 0; cost <= SearchKey::highest_cost; ++cost)
            for (auto& key : keys)
                if (key.cost() == cost) sorted.push_back(key);
        keys = std::move(sorted);
    }

    SearchKey one(int depth)
    {
        if (depth > depth_limit) throw Bad("Search criteria nested too deeply");
        if (++count_ > key_limit) throw Bad("Too many search criteria");
        if (arguments_.skip('(')) {
            SearchKey key = list(depth + 1);
            arguments_.expect(')');
            return key;
        }
        if (!arguments_.at_end() && (base::is_digit(arguments_.rest().front()) || arguments_.at('*') || arguments_.at('$')))
            return numbers(Kind::numbers);
        return word(base::upper(arguments_.keyword()), depth);
    }

    SearchKey numbers(Kind kind)
    {
        SearchKey key;
        key.kind = kind;
        key.set = arguments_.sequence_set();
        return key;
    }

    SearchKey word(const std::string& name, int depth)
    {
        if (auto key = flag_word(name)) return *key;
        if (auto key = header_word(name)) return *key;
        if (auto key = value_word(name)) return *key;
        if (name == "MODSEQ") return modseq();
        SearchKey key;
        arguments_.space();
        if (name == "NOT") {
            key.kind = Kind::negation;
            key.keys.push_back(one(depth + 1));
        } else if (name == "OR") {
            key.kind = Kind::either;
            key.keys.push_back(one(depth + 1));
            arguments_.space();
            key.keys.push_back(one(depth + 1));
        } else if (name == "UID") {
            key = numbers(Kind::uids);
        } else if (name == "KEYWORD" || name == "UNKEYWORD") {
            key.kind = name == "KEYWORD" ? Kind::keyword : Kind::unkeyword;
            key.name = arguments_.atom();
        } else {
            throw Bad("Unknown search key " + base::printable(name, 40));
        }
        return key;
    }

    // RFC 7162 3.1.5: search-modseq = "MODSEQ" [SP entry-name SP entry-type-req] SP mod-sequence-valzer. We keep one
    // mod-sequence a message, which is the highest of those that its entries could have.
    SearchKey modseq()
    {
        arguments_.space();
        if (arguments_.at('"')) {
            arguments_.string();
            arguments_.space();
            if (!arguments_.skip_keyword("all") && !arguments_.skip_keyword("priv") && !arguments_.skip_keyword("shared"))
                throw Bad("Expected all, priv or shared");
            arguments_.space();
        }
        SearchKey key;
        key.kind = Kind::modseq;
        key.number = static_cast<int64_t>(std::min<uint64_t>(arguments_.number64(), INT64_MAX));
        return key;
    }

    static std::optional<SearchKey> flag_word(std::string_view name)
    {
        namespace flag = store::flag;
        static constexpr struct {
            std::string_view name;
            Kind kind;
            store::Flags flags;
        } words[] = {{"ALL", Kind::all, 0},
                     {"SAVEDATESUPPORTED", Kind::all, 0}, // RFC 8514 4.3
                     {"ANSWERED", Kind::flags_set, flag::answered},
                     {"DELETED", Kind::flags_set, flag::deleted},
                     {"DRAFT", Kind::flags_set, flag::draft},
                     {"FLAGGED", Kind::flags_set, flag::flagged},
                     {"RECENT", Kind::flags_set, flag::recent},
                     {"SEEN", Kind::flags_set, flag::seen},
                     {"OLD", Kind::flags_clear, flag::recent},
                     {"UNANSWERED", Kind::flags_clear, flag::answered},
                     {"UNDELETED", Kind::flags_clear, flag::deleted},
                     {"UNDRAFT", Kind::flags_clear, flag::draft},
                     {"UNFLAGGED", Kind::flags_clear, flag::flagged},
                     {"UNSEEN", Kind::flags_clear, flag::seen}};
        SearchKey key;
        for (const auto& known : words) {
            if (known.name != name) continue;
            key.kind = known.kind;
            key.flags = known.flags;
            return key;
        }
        if (name != "NEW") return std::nullopt;
        // NEW is (RECENT UNSEEN).
        key.kind = Kind::both;
        key.keys.resize(2);
        key.keys[0].kind = Kind::flags_set;
        key.keys[0].flags = flag::recent;
        key.keys[1].kind = Kind::flags_clear;
        key.keys[1].flags = flag::seen;
        return key;
    }

    std::optional<SearchKey> header_word(const std::string& name)
    {
        static constexpr std::string_view fields[] = {"BCC", "CC", "FROM", "SUBJECT", "TO"};
        SearchKey key;
        key.kind = Kind::header;
        if (name == "HEADER") {
            arguments_.space();
            key.name = arguments_.astring();
        } else if (std::find(std::begin(fields), std::end(fields), name) != std::end(fields)) {
            key.name = name;
        } else if (name == "BODY") {
            key.kind = Kind::body;
        } else if (name == "TEXT") {
            key.kind = Kind::text;
        } else {
            return std::nullopt;
        }
        arguments_.space();
        key.wanted = wanted();
        return key;
    }

    std::optional<SearchKey> value_word(const std::string& name)
    {
        static constexpr struct {
            std::string_view name;
            Kind kind;
        } days[] = {{"BEFORE", Kind::before},          {"ON", Kind::on},          {"SINCE", Kind::since},
                    {"SENTBEFORE", Kind::sent_before}, {"SENTON", Kind::sent_on}, {"SENTSINCE", Kind::sent_since},
                    {"SAVEDBEFORE", Kind::saved_before}, {"SAVEDON", Kind::saved_on}, {"SAVEDSINCE", Kind::saved_since}};
        SearchKey key;
        for (const auto& known : days) {
            if (known.name != name) continue;
            arguments_.space();
            key.kind = known.kind;
            // Kept in seconds, as OLDER and YOUNGER need them.
            key.number = arguments_.date() * 86400;
            return key;
        }
        if (name == "LARGER" || name == "SMALLER") {
            arguments_.space();
            key.kind = name == "LARGER" ? Kind::larger : Kind::smaller;
            key.number = static_cast<int64_t>(std::min<uint64_t>(arguments_.number64(), INT64_MAX));
            return key;
        }
        if (name != "OLDER" && name != "YOUNGER") return std::nullopt;
        // RFC 5032: YOUNGER is "within the last so many seconds", OLDER what is not.
        arguments_.space();
        SearchKey young;
        young.kind = Kind::since;
        young.name = "exactly";
        young.number = static_cast<int64_t>(now_) - arguments_.nz_number();
        if (name == "YOUNGER") return young;
        key.kind = Kind::negation;
        key.keys.push_back(std::move(young));
        return key;
    }

    std::string wanted()
    {
        std::string bytes = arguments_.astring();
        if (charset_.empty()) return fold(mail::guess_to_utf8(bytes));
        return fold(mail::to_utf8(bytes, charset_).value_or(bytes));
    }

    Arguments& arguments_;
    std::time_t now_;
    std::string charset_;
    size_t count_ = 0;
};

} // namespace

int SearchKey::cost() const
{
    if (kind < Kind::before) return 0;
    if (kind < Kind::header) return 1;
    if (kind < Kind::body) return 2;
    if (kind < Kind::both) return 3;
    int most = 0;
    for (const auto& key : keys) most = std::max(most, key.cost());
    return most;
}

SearchKey parse_search(Arguments& arguments, std::time_t now, CharsetPlace charset)
{
    return Parser(arguments, now).all(charset);
}

} // namespace imapd
