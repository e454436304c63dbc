// tls_policy: how sure of a server we want to be: main.cf's level, or what smtp_tls_policy_maps says of the destination.
#pragma once

#include "problem.h"
#include "settings.h"

#include "maps/map.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace smtp_client {

struct TlsPolicy {
    tls::Level level = tls::Level::none;
    std::vector<std::string> match; // hostname, nexthop, dot-nexthop, or names
    std::vector<std::string> fingerprints, trust_anchors;
    std::string servername, protocols, ciphers;
    std::vector<std::string> exclude;
    bool reuse = false;
    std::optional<Problem> problem; // the mail waits until the configuration is mended

    bool required() const { return level != tls::Level::none && level != tls::Level::may; }
};

// destination: the next hop as it is written, "example.org" or "[mail.example.org]:587". The policy of a parent domain
// (".example.org") counts for a bare domain. What is wrong with a policy is said in a warning.
TlsPolicy tls_policy(const TlsSettings& settings, maps::Maps& policies, std::string_view destination);

} // namespace smtp_client
