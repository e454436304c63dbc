#include "sort.h"

#include <algorithm>
#include <compare>

namespace imapd {

namespace {

using Key = SortCriterion::Key;
constexpr size_t criteria_limit = 50;

constexpr struct {
    std::string_view name;
    Key key;
} names[] = {{"ARRIVAL", Key::arrival},
             {"CC", Key::cc},
             {"DATE", Key::date},
             {"DISPLAYFROM", Key::display_from},
             {"DISPLAYTO", Key::display_to},
             {"FROM", Key::from},
             {"SIZE", Key::size},
             {"SUBJECT", Key::subject},
             {"TO", Key::to}};

SortCriterion read_criterion(Arguments& arguments)
{
    SortCriterion criterion;
    criterion.reverse = arguments.skip_keyword("REVERSE");
    if (criterion.reverse) arguments.space();
    for (const auto& known : names) {
        if (!arguments.skip_keyword(known.name)) continue;
        criterion.key = known.key;
        return criterion;
    }
    throw Bad("Unknown sort key");
}

std::strong_ordering compare(const Headline& a, const Headline& b, Key key)
{
    switch (key) {
    case Key::arrival: return a.arrival <=> b.arrival;
    case Key::cc: return a.cc <=> b.cc;
    case Key::date: return a.sent <=> b.sent;
    case Key::display_from: return a.display_from <=> b.display_from;
    case Key::display_to: return a.display_to <=> b.display_to;
    case Key::from: return a.from <=> b.from;
    case Key::size: return a.size <=> b.size;
    case Key::subject: return a.subject <=> b.subject;
    case Key::to: return a.to <=> b.to;
    }
    return std::strong_ordering::equal;
}

} // namespace

std::vector<SortCriterion> parse_sort_program(Arguments& arguments)
{
    std::vector<SortCriterion> program;
    arguments.expect('(');
    do {
        if (program.size() >= criteria_limit) throw Bad("Too many sort keys");
        program.push_back(read_criterion(arguments));
    } while (arguments.skip(' '));
    arguments.expect(')');
    return program;
}

HeadlineParts parts_of(const std::vector<SortCriterion>& program)
{
    HeadlineParts parts;
    for (const auto& criterion : program) {
        parts.size |= criterion.key == Key::size;
        parts.header |= criterion.key != Key::size && criterion.key != Key::arrival;
    }
    return parts;
}

void sort_headlines(std::vector<Headline>& lines, const std::vector<SortCriterion>& program)
{
    std::sort(lines.begin(), lines.end(), [&](const Headline& a, const Headline& b) {
        for (const auto& criterion : program) {
            auto order = compare(a, b, criterion.key);
            if (order != 0) return criterion.reverse ? order > 0 : order < 0;
        }
        return a.uid < b.uid;
    });
}

} // namespace imapd
