// address_search: in which order the parts of an address, or a domain and its parents, are looked up in tables. As Postfix's
// virtual(5), canonical(5), transport(5) and access(5) say.
#pragma once

#include "maps/map.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace maps {

// An address with its quotes ("a b"@example.org) or without (a b@example.org), as mail is kept inside; cut at the last @.
struct AddressParts {
    std::string local;          // without quotes
    std::string domain;
    bool has_domain = false;
};
AddressParts split_address(std::string_view address);
std::string quote_local(std::string_view local);                                // quotes only where RFC 5321 wants them
std::string join_address(const AddressParts& parts);

struct ExtensionRule {
    std::string delimiters;             // recipient_delimiter; empty: none
    bool owner_request_special = true;  // with '-': owner-list and list-request are no extensions
};
// "user+ext" → {"user", "+ext"}; the second is empty when there is none.
struct SplitLocal {
    std::string_view user, extension;
};
SplitLocal split_extension(std::string_view local, const ExtensionRule& rule);

enum class Parents { none, plain, dotted };     // example.org, .example.org

namespace form {
enum : unsigned {
    full = 1,                   // user+ext@domain
    no_extension = 2,           // user@domain
    local_if_local = 4,         // user+ext, user; where the domain is ours
    at_domain = 8,              // @domain
    domain = 16,                // domain and its parents
    local_at = 32,              // user+ext@, user@
};
}

struct AddressSearch {
    unsigned forms = form::full | form::no_extension | form::local_if_local | form::at_domain;
    ExtensionRule extension;
    std::function<bool(std::string_view domain)> is_local;
    Parents parents = Parents::dotted;
};

struct AddressHit {
    std::string value;
    std::string extension;      // "+ext" where the key that was found lacks it; else empty
    unsigned found_as = 0;      // one of form
};

// virtual_alias_maps, canonical_maps …: the order of the list above. Access tables (no local_if_local, no at_domain): the same.
std::optional<AddressHit> find_address(Maps& maps, std::string_view address, const AddressSearch& search);
std::optional<std::string> find_domain(Maps& maps, std::string_view domain, Parents parents);
// Access tables: 192.0.2.1, 192.0.2, 192.0, 192; or an IPv6 address cut at its colons.
std::optional<std::string> find_network(Maps& maps, std::string_view address);

} // namespace maps
