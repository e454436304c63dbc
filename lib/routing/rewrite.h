// rewrite: incomplete and old-fashioned addresses made whole, as Postfix's trivial-rewrite does: user → user@myorigin, user@host →
// user@host.mydomain, site!user and user%site. Addresses are in internal form (no quotes); quoted ones are understood.
#pragma once

#include <string>
#include <string_view>

namespace config {
class Config;
}

namespace routing {

struct RewriteRules {
    std::string origin;             // myorigin; empty: nothing is appended
    std::string domain;             // mydomain
    bool append_origin = true;      // append_at_myorigin
    bool append_domain = false;     // append_dot_mydomain
    bool swap_bangpath = true;
    bool percent_hack = true;

    static RewriteRules local(const config::Config& config);
    // For headers of strangers: remote_header_rewrite_domain, which may be empty.
    static RewriteRules remote(const config::Config& config);
};

// The empty address stays empty.
std::string rewrite_address(std::string_view address, const RewriteRules& rules);

} // namespace routing
