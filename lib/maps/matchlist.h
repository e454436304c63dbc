// matchlist: lists of patterns in parameters, such as mydestination and mynetworks: names, .parents, networks, "type:table", "/file",
// each with "!" for "not". The first pattern that fits decides.
#pragma once

#include "maps/map.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace maps {

// The pieces of a list parameter: split at commas and white space, but not inside braces: "a, inline:{{b = c}} d".
std::vector<std::string> split_list(std::string_view text);

struct MatchOptions {
    bool parents = false;       // parent_domain_matches_subdomains: "example.org" fits a.example.org; else ".example.org" does
    Options tables;
};

// What the patterns are compared with.
enum class Matching { strings, domains, hosts };

class MatchList {
public:
    MatchList();
    explicit MatchList(std::string_view patterns, Matching matching = Matching::domains, const MatchOptions& options = {});
    explicit MatchList(const std::vector<std::string>& patterns, Matching matching = Matching::domains, const MatchOptions& options = {});
    MatchList(MatchList&&) noexcept;
    MatchList& operator=(MatchList&&) noexcept;
    ~MatchList();

    // Throws Unavailable when a table, a file or a pattern that would decide cannot be read.
    bool matches(std::string_view text);
    // Matching::hosts: name may be "unknown" or empty, address may not.
    bool matches(std::string_view name, std::string_view address);
    bool empty() const;

private:
    struct Body;
    std::unique_ptr<Body> body_;
};

// mynetworks and its kin: 127.0.0.0/8, [::1]/128, [::ffff:127.0.0.0]/104, 192.0.2.1, host.example.org, .example.org, cidr:/file …
class NetworkList {
public:
    NetworkList() = default;
    explicit NetworkList(std::string_view patterns, const MatchOptions& options = {}) : list_(patterns, Matching::hosts, options) {}
    bool contains(std::string_view address) { return list_.matches("", address); }
    bool contains(std::string_view name, std::string_view address) { return list_.matches(name, address); }
    bool empty() const { return list_.empty(); }

private:
    MatchList list_;
};

} // namespace maps
