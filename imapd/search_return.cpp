#include "search_return.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace imapd {

namespace {

// partial-range = nz-number ":" nz-number / "-" nz-number ":-" nz-number
Portion read_portion(Arguments& arguments)
{
    Portion portion;
    std::string_view before = arguments.rest();
    portion.from_end = arguments.skip('-');
    uint32_t first = arguments.nz_number();
    arguments.expect(':');
    if (portion.from_end) arguments.expect('-');
    uint32_t last = arguments.nz_number();
    portion.first = std::min(first, last) - 1;
    portion.last = std::max(first, last) - 1;
    portion.text = before.substr(0, before.size() - arguments.rest().size());
    return portion;
}

std::span<const uint32_t> portion_of(std::span<const uint32_t> numbers, const Portion& portion)
{
    size_t count = numbers.size();
    if (portion.first >= count) return {};
    size_t size = std::min<size_t>(portion.last, count - 1) - portion.first + 1;
    size_t start = portion.from_end ? count - portion.first - size : portion.first;
    return numbers.subspan(start, size);
}

} // namespace

SearchReturn parse_search_return(Arguments& arguments)
{
    SearchReturn wanted;
    if (!base::starts_with_word(arguments.rest(), " RETURN ")) return wanted;
    arguments.space();
    arguments.skip_keyword("RETURN");
    arguments.space();
    arguments.expect('(');
    wanted.extended = true;
    bool first = true;
    while (!arguments.skip(')')) {
        if (!std::exchange(first, false)) arguments.space();
        if (arguments.skip_keyword("MIN"))
            wanted.min = true;
        else if (arguments.skip_keyword("MAX"))
            wanted.max = true;
        else if (arguments.skip_keyword("ALL"))
            wanted.all = true;
        else if (arguments.skip_keyword("COUNT"))
            wanted.count = true;
        else if (arguments.skip_keyword("SAVE"))
            wanted.save = true;
        else if (arguments.skip_keyword("PARTIAL")) {
            arguments.space();
            wanted.partial = read_portion(arguments);
        } else
            throw Bad("Unknown search return option");
    }
    if (wanted.all && wanted.partial) throw Bad("ALL and PARTIAL exclude each other");
    if (!wanted.tells_something() && !wanted.save) wanted.all = true;
    return wanted;
}

std::string esearch_text(const SearchAnswer& answer, const SearchReturn& wanted, std::span<const uint32_t> numbers)
{
    std::string text = fmt::format("(TAG \"{}\")", answer.tag);
    if (answer.by_uid) text += " UID";
    if (!numbers.empty()) {
        if (wanted.min) text += fmt::format(" MIN {}", *std::min_element(numbers.begin(), numbers.end()));
        if (wanted.max) text += fmt::format(" MAX {}", *std::max_element(numbers.begin(), numbers.end()));
        if (wanted.all) text += " ALL " + write_set(numbers);
    }
    if (wanted.count) text += fmt::format(" COUNT {}", numbers.size());
    if (wanted.partial) {
        auto part = portion_of(numbers, *wanted.partial);
        text += fmt::format(" PARTIAL ({} {})", wanted.partial->text, part.empty() ? "NIL" : write_set(part));
    }
    // RFC 7162 3.1.10: the highest one of the messages found.
    if (answer.modseq && !numbers.empty()) text += fmt::format(" MODSEQ {}", *answer.modseq);
    return text;
}

std::vector<uint32_t> to_be_saved(const SearchReturn& wanted, std::vector<uint32_t> uids)
{
    bool only_ends = (wanted.min || wanted.max) && !wanted.all && !wanted.count && !wanted.partial;
    if (!only_ends || uids.empty()) return uids;
    std::vector<uint32_t> ends;
    if (wanted.min) ends.push_back(uids.front());
    if (wanted.max && (ends.empty() || uids.back() != ends.front())) ends.push_back(uids.back());
    return ends;
}

} // namespace imapd
