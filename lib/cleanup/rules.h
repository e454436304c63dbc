// rules: what main.cf says of mail on its way in: its checks, rewriting and copies. One a process; tables are opened with it. For one thread.
#pragma once

#include "config/config.h"
#include "maps/address_search.h"
#include "maps/map.h"
#include "routing/address_maps.h"
#include "routing/router.h"

#include <optional>

namespace cleanup {

// Who makes the mail.
enum class Source { client, forward, bounce, notify };

// What is done with it; receive_override_options and internal_mail_filter_classes have their say.
struct Duties {
    bool checks = true;             // header_checks and its kin, strictness about MIME
    bool mappings = true;           // canonical addresses, masquerading, virtual aliases
    bool copies = true;             // always_bcc, sender_bcc_maps, recipient_bcc_maps
};

class Rules {
public:
    // Both must outlive it.
    Rules(const config::Config& config, routing::Router& router);

    Duties duties(Source source) const;
    bool overridden(std::string_view option) const;     // a word of receive_override_options

    const config::Config& config;
    routing::Router& router;
    routing::AddressMaps addresses;
    maps::AddressSearch search;                         // how copies are looked up
    maps::Maps header_checks, mime_header_checks, nested_header_checks, body_checks, milter_header_checks;
    maps::Maps sender_bcc, recipient_bcc;
    bool strict_headers, strict_body, strict_encoding;  // strict_7bit_headers, strict_8bitmime_body, strict_mime_encoding_domain
    bool reads_structure;                               // something is asked of the parts of a body
    bool limits_nesting;                                // too deep a nesting is refused
    // For addresses in headers: of our own clients; of others, empty when their headers are left alone.
    routing::RewriteRules local_rewriting;
    std::optional<routing::RewriteRules> remote_rewriting;
};

} // namespace cleanup
