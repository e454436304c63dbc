#include "sequence_set.h"

#include <fmt/format.h>

#include <algorithm>

namespace imapd {

std::vector<Interval> SequenceSet::resolved(uint32_t largest) const
{
    std::vector<Interval> all;
    all.reserve(parts.size());
    for (Interval part : parts) {
        if (part.first == 0) part.first = largest;
        if (part.last == 0) part.last = largest;
        if (part.first > part.last) std::swap(part.first, part.last);
        all.push_back(part);
    }
    std::sort(all.begin(), all.end(), [](Interval a, Interval b) { return a.first < b.first; });
    std::vector<Interval> merged;
    for (Interval part : all) {
        if (!merged.empty() && part.first <= uint64_t{merged.back().last} + 1)
            merged.back().last = std::max(merged.back().last, part.last);
        else
            merged.push_back(part);
    }
    return merged;
}

bool contains(std::span<const Interval> resolved, uint32_t number)
{
    auto after = std::upper_bound(resolved.begin(), resolved.end(), number,
                                  [](uint32_t value, Interval part) { return value < part.first; });
    return after != resolved.begin() && number <= std::prev(after)->last;
}

std::string write_set(const std::vector<Interval>& parts)
{
    std::string text;
    for (Interval part : parts) {
        if (!text.empty()) text += ',';
        text += part.first == part.last ? fmt::format("{}", part.first) : fmt::format("{}:{}", part.first, part.last);
    }
    return text;
}

std::string write_set(std::span<const uint32_t> numbers)
{
    std::string text;
    for (size_t i = 0; i < numbers.size();) {
        size_t end = i + 1;
        while (end < numbers.size() && numbers[end] == numbers[end - 1] + 1) ++end;
        if (!text.empty()) text += ',';
        text += fmt::format("{}", numbers[i]);
        if (end - i > 1) text += fmt::format(":{}", numbers[end - 1]);
        i = end;
    }
    return text;
}

} // namespace imapd
