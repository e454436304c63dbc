// qshape_table: counts of waiting recipients by domain and age. Pure.
#pragma once

#include "spool/listing.h"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace qshape {

struct Shape {
    bool by_sender = false;         // -s: messages by the domain of their sender
    bool parents = false;           // -p: ".example.com" sums its subdomains up
    int least_subdomains = 5;       // -m
    bool linear = false;            // -l: steps of one size, instead of doubling ones
    int buckets = 10;               // -b
    int bucket_minutes = 5;         // -t
    int width = 80;                 // -w
};

class Table {
public:
    Table(const Shape& shape, int64_t now);
    void add(const spool::ListedMessage& message);
    // A heading, TOTAL, and the domains, those with most mail first.
    std::string text() const;

private:
    using Counts = std::vector<uint64_t>;       // all, then by age
    void count(std::string_view address, size_t bucket);
    std::string line(std::string name, const std::vector<std::string>& cells, const std::vector<size_t>& widths) const;

    Shape shape_;
    int64_t now_;
    std::vector<int64_t> limits_;               // minutes; the last bucket has none
    Counts total_;
    std::map<std::string, Counts> rows_;
    std::map<std::string, std::set<std::string>> subdomains_;
};

} // namespace qshape
