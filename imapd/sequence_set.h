// sequence_set: "1,3:5,7:*", the way IMAP names messages, by number or by UID.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace imapd {

struct Interval {
    uint32_t first = 0, last = 0;
    bool operator==(const Interval&) const = default;
};

// As the client wrote it: any order, and 0 stands for '*'.
struct SequenceSet {
    std::vector<Interval> parts;
    bool saved = false; // "$": what the last search saved (RFC 5182); then there are no parts

    // '*' replaced by largest; ascending, without overlaps. RFC 3501 9: 5:3 is 3:5, and 559:* includes the last message
    // even when it is smaller than 559.
    std::vector<Interval> resolved(uint32_t largest) const;
    bool operator==(const SequenceSet&) const = default;
};

bool contains(std::span<const Interval> resolved, uint32_t number);

// "1:3,5": neighbours joined, order kept. For COPYUID.
std::string write_set(std::span<const uint32_t> numbers);
std::string write_set(const std::vector<Interval>& parts);

} // namespace imapd
