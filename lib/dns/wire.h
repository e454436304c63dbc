// wire: a name server's answer as bytes (RFC 1035 4), read with suspicion. Pure grammar.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dns::wire {

enum Type : uint16_t {
    type_a = 1,
    type_cname = 5,
    type_soa = 6,
    type_ptr = 12,
    type_mx = 15,
    type_txt = 16,
    type_aaaa = 28
};

struct Record {
    std::string owner;
    uint16_t type = 0;
    uint32_t ttl = 0;
    uint16_t preference = 0; // MX
    std::string target;      // CNAME, PTR, MX: a name without final dot, "" for the root
    std::string data;        // A and AAAA: the address; TXT: the strings joined; others: as it came
};

struct Message {
    int rcode = 0;
    bool authentic = false;
    std::vector<Record> answers;
    uint32_t unusable = 0;                // answers left out: names that no host can have, too many records
    std::optional<uint32_t> negative_ttl; // RFC 2308 5: from the SOA in the authority section
};

// Nothing when the bytes are no DNS message.
std::optional<Message> parse(std::string_view bytes);

} // namespace dns::wire
