// sort: SORT's criteria (RFC 5256, RFC 5957) and the order they make, without I/O.
#pragma once

#include "arguments.h"
#include "headline.h"

#include <vector>

namespace imapd {

struct SortCriterion {
    enum class Key { arrival, cc, date, display_from, display_to, from, size, subject, to } key = Key::arrival;
    bool reverse = false;
    bool operator==(const SortCriterion&) const = default;
};

// "(REVERSE DATE SUBJECT)"
std::vector<SortCriterion> parse_sort_program(Arguments& arguments);
HeadlineParts parts_of(const std::vector<SortCriterion>& program);
// Where all are equal: the order of the mailbox.
void sort_headlines(std::vector<Headline>& lines, const std::vector<SortCriterion>& program);

} // namespace imapd
