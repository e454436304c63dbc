// tables: the look-up tables that the client asks, of one process. A table that cannot be asked throws
// maps::Unavailable: the mail waits then.
#pragma once

#include "config/config.h"
#include "maps/address_search.h"
#include "maps/map.h"
#include "maps/matchlist.h"
#include "routing/domains.h"
#include "routing/rewrite.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace smtp_client {

class Tables {
public:
    Tables() = default; // none at all
    Tables(const config::Config& config, bool lmtp);
    Tables(const Tables&) = delete;

    // Reads passwords while we have the right to.
    void read_passwords();
    // The table that could be read then and cannot be any more, because it has changed; else empty.
    std::string lost_passwords();
    // "user:password" for a server: by sender where that is wanted, by its name, by the destination as it is written.
    std::optional<std::string> login(std::string_view sender, std::string_view host, std::string_view destination);
    // generic(5): as the world outside shall know the address (internal form); the address itself when no table does.
    std::string outside(std::string_view address);
    bool rewrites() const { return !generic_.empty(); }

    maps::Maps tls_policy, discard_keywords, pix_workarounds, reply_filter, status_filter;
    maps::Maps header_checks, mime_header_checks, nested_header_checks, body_checks;
    maps::MatchList mechanisms; // those that we use of a server's, or empty: all
    bool checks() const
    {
        return !header_checks.empty() || !mime_header_checks.empty() || !nested_header_checks.empty() ||
               !body_checks.empty();
    }

private:
    maps::Maps passwords_, generic_;
    bool passwords_were_read_ = false;
    std::unique_ptr<routing::Domains> domains_; // where it lies is known to search_
    maps::AddressSearch search_;
    routing::RewriteRules rules_;
    bool keep_extension_ = false;
};

} // namespace smtp_client
