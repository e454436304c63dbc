// address_fields: a value becomes words; runs of words that are an address are replaced; the words are written again.
#include "cleanup/address_fields.h"

#include "base/text.h"
#include "mail/address.h"

#include <algorithm>
#include <vector>

namespace cleanup {

namespace {

struct Word {
    enum class Kind : uint8_t { text, quoted, literal, comment, special, gone };
    Kind kind = Kind::text;
    std::string text;           // with its delimiters; folds undone
    bool space_before = false;
    bool is(char c) const { return kind == Kind::special && text[0] == c; }
    bool joins() const { return is('@') || is('.') || is(':') || is(','); }
};
using Words = std::vector<Word>;

constexpr std::string_view specials = "<>@,;:.";

// The end of what begins at text[from] with a delimiter: behind the one that closes it, or the text's end.
size_t closed_at(std::string_view text, size_t from)
{
    char open = text[from], close = open == '"' ? '"' : open == '[' ? ']' : ')';
    size_t depth = 1;
    for (size_t at = from + 1; at < text.size(); ++at) {
        if (text[at] == '\\') ++at;
        else if (text[at] == close && --depth == 0) return at + 1;
        else if (open == '(' && text[at] == '(') ++depth;
    }
    return text.size();
}

std::string without_folds(std::string_view text)
{
    std::string plain(text);
    std::erase_if(plain, [](char c) { return c == '\r' || c == '\n'; });
    return plain;
}

size_t text_end(std::string_view text, size_t from)
{
    size_t at = from;
    while (at < text.size() && !base::is_space(text[at]) && specials.find(text[at]) == std::string_view::npos && text[at] != '"' && text[at] != '[' &&
           text[at] != '(')
        at += text[at] == '\\' && at + 1 < text.size() ? 2 : 1;
    return std::max(at, from + 1);
}

Words read_words(std::string_view value, size_t limit)
{
    Words words;
    for (size_t at = 0; words.size() < limit;) {
        size_t begin = at;
        while (at < value.size() && base::is_space(value[at])) ++at;
        if (at >= value.size()) break;
        Word word;
        word.space_before = at != begin;
        size_t end = at + 1;
        switch (value[at]) {
        case '"': word.kind = Word::Kind::quoted; end = closed_at(value, at); break;
        case '[': word.kind = Word::Kind::literal; end = closed_at(value, at); break;
        case '(': word.kind = Word::Kind::comment; end = closed_at(value, at); break;
        default:
            if (specials.find(value[at]) != std::string_view::npos) word.kind = Word::Kind::special;
            else end = text_end(value, at);
        }
        word.text = without_folds(value.substr(at, end - at));
        words.push_back(std::move(word));
        at = end;
    }
    if (words.size() < limit) return words;
    // An address that was cut off is no address.
    auto comma = std::find_if(words.rbegin(), words.rend(), [](const Word& word) { return word.is(','); });
    if (comma != words.rend()) words.erase(comma.base() - 1, words.end());
    return words;
}

std::string as_written(Words::const_iterator begin, Words::const_iterator end)
{
    std::string text;
    bool joined = true;
    for (; begin != end; ++begin) {
        if (begin->kind == Word::Kind::comment || begin->kind == Word::Kind::gone) continue;
        // Space around dots and @ means nothing; between words it belongs to the name.
        if (begin->space_before && !joined && !begin->joins()) text += ' ';
        text += begin->text;
        joined = begin->joins();
    }
    return text;
}

class Changer {
public:
    Changer(Words& words, const AddressChange& change) : words_(words), change_(change) {}

    bool run()
    {
        for (size_t begin = 0; begin < words_.size();) begin = element(begin);
        return changed_;
    }

private:
    // One element of the list, or the name of a group; gives where the next begins.
    size_t element(size_t begin)
    {
        bool at_seen = false;
        for (size_t i = begin; i < words_.size(); ++i) {
            const Word& word = words_[i];
            if (word.is('<')) return angle(i);
            if (word.is(':') && !at_seen && i > begin) return i + 1;
            at_seen = at_seen || word.is('@');
            if (!word.is(',') && !word.is(';')) continue;
            replace(begin, i);
            return i + 1;
        }
        replace(begin, words_.size());
        return words_.size();
    }

    // <address>; what stands behind it up to the separator is nobody's.
    size_t angle(size_t open)
    {
        size_t close = open + 1;
        while (close < words_.size() && !words_[close].is('>')) ++close;
        replace(open + 1, close);
        size_t next = close;
        while (next < words_.size() && !words_[next].is(',') && !words_[next].is(';')) ++next;
        return next + 1;
    }

    void replace(size_t begin, size_t end)
    {
        while (begin < end && words_[begin].kind == Word::Kind::comment) ++begin;
        while (end > begin && words_[end - 1].kind == Word::Kind::comment) --end;
        auto at = [&](size_t place) { return words_.cbegin() + static_cast<std::ptrdiff_t>(place); };
        std::string old = as_written(at(begin), at(end));
        if (old.empty()) return;
        std::string mapped = change_(old);
        if (mapped.empty() || mapped == mail::to_internal(old)) return;
        words_[begin] = {Word::Kind::text, mail::to_external(mapped), words_[begin].space_before};
        for (size_t i = begin + 1; i < end; ++i) words_[i].kind = Word::Kind::gone;
        changed_ = true;
    }

    Words& words_;
    const AddressChange& change_;
    bool changed_ = false;
};

// Lines grow to 70 characters, and are broken behind commas only.
std::string write_folded(std::string_view name, const Words& words)
{
    std::string field, segment;
    size_t line = 0;
    bool first = true;
    auto add_segment = [&] {
        if (first) field += segment;
        else if (field.size() - line + 1 + segment.size() < 70) field += " " + segment;
        else {
            field += "\r\n";
            line = field.size();
            field += "\t" + segment;
        }
        first = false;
        segment.clear();
    };
    field = std::string(name) + ":";
    segment = " ";
    bool fresh = true, in_angle = false;
    for (const Word& word : words) {
        if (word.kind == Word::Kind::gone) continue;
        bool space = word.space_before || (word.is('<') && !in_angle);
        if (!fresh && space && !word.is(',') && !word.is(';')) segment += ' ';
        segment += word.text;
        fresh = false;
        if (word.is('<')) in_angle = true;
        if (word.is('>')) in_angle = false;
        if (word.is(',') && !in_angle) {
            add_segment();
            fresh = true;
        }
    }
    if (!segment.empty()) add_segment();
    return field + "\r\n";
}

} // namespace

std::optional<std::string> change_addresses(std::string_view name, std::string_view value, size_t word_limit, const AddressChange& change)
{
    Words words = read_words(value, word_limit);
    if (!Changer(words, change).run()) return std::nullopt;
    return write_folded(name, words);
}

} // namespace cleanup
