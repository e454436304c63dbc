// blocklist: a list in the DNS (RFC 5782), and which of its answers count: "zen.example=127.0.0.[2..11]". Pure.
#pragma once

#include "net/address.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace smtpd::restrictions {

struct Blocklist {
    std::string domain;         // "zen.example"
    std::string written;        // with its filter

    // Null, with a warning in the log, when the filter has no meaning.
    static std::shared_ptr<const Blocklist> parse(std::string_view text);
    // An answer that counts; without a filter each does.
    bool counts(const net::Address& answer) const;

    struct Range {
        int from = 0, to = 0;
    };
    using Octet = std::vector<Range>;           // any of them
    std::optional<std::array<Octet, 4>> filter;
};

// RFC 5782 2.1, 2.4: "2.0.0.127" or the nibbles of an IPv6 address, to be followed by the list's domain.
std::string reversed(const net::Address& address);

} // namespace smtpd::restrictions
