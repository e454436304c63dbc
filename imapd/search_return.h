// search_return: what SEARCH and SORT are asked to answer: RETURN (MIN MAX ALL COUNT SAVE PARTIAL …), RFC 4731, 5182, 5267, 9394.
#pragma once

#include "arguments.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace imapd {

// PARTIAL 1:100, or -1:-100 from the end; counted from 0 here.
struct Portion {
    bool from_end = false;
    uint32_t first = 0, last = 0;
    std::string text; // as the client wrote it
};

struct SearchReturn {
    bool extended = false; // there was a RETURN: the answer is ESEARCH
    bool min = false, max = false, all = false, count = false, save = false;
    std::optional<Portion> partial;

    bool tells_something() const { return min || max || all || count || partial; }
};

// " RETURN (…)" if it stands there. RETURN () is RETURN (ALL).
SearchReturn parse_search_return(Arguments& arguments);

// What stands after "* ESEARCH ": numbers (or UIDs) in the order of the answer.
struct SearchAnswer {
    std::string_view tag;
    bool by_uid = false;
    std::optional<uint64_t> modseq; // the search was for MODSEQ
};
std::string esearch_text(const SearchAnswer& answer, const SearchReturn& wanted, std::span<const uint32_t> numbers);

// What SAVE keeps of the ascending UIDs found: RFC 5182 2.1.
std::vector<uint32_t> to_be_saved(const SearchReturn& wanted, std::vector<uint32_t> uids);

} // namespace imapd
