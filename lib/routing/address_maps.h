// address_maps: tables that turn addresses into other addresses: canonical, virtual aliases, masquerading, generic. Addresses are in
// internal form. Throws maps::Unavailable when a table fails or its results run wild; the mail is then not accepted (4.6.0).
#pragma once

#include "maps/address_search.h"
#include "maps/map.h"
#include "maps/matchlist.h"
#include "routing/router.h"

#include <string>
#include <string_view>
#include <vector>

namespace routing {

// Tables whose results run wild: endless, or too many.
class Unreasonable : public maps::Unavailable {
public:
    using maps::Unavailable::Unavailable;
};

enum class Place { envelope_sender, envelope_recipient, header_sender, header_recipient };

// One look-up with its consequences: "@other" keeps the user, the unmatched extension is carried over, bare users are completed.
// Nothing when the tables do not know the address.
std::optional<std::vector<std::string>> map_address(maps::Maps& tables, std::string_view address, const maps::AddressSearch& search,
                                                    const RewriteRules& rules, bool propagate_extension);

class AddressMaps {
public:
    // Both must outlive it.
    AddressMaps(const config::Config& config, Router& router);

    // sender_canonical_maps or recipient_canonical_maps, then canonical_maps, each where its classes say so; then masquerading.
    std::string canonical(std::string_view address, Place place);
    // All addresses that virtual_alias_maps make of a recipient, no two the same; the recipient itself when they know it not.
    std::vector<std::string> expand_virtual(std::string_view recipient);

private:
    std::string map_one(maps::Maps& tables, const std::string& title, std::string address);
    std::string masquerade(std::string address);

    const config::Config& config_;
    maps::AddressSearch search_;
    RewriteRules rules_;
    bool propagate_canonical_, propagate_virtual_;
    maps::MatchList unmasked_;      // masquerade_exceptions
    maps::Maps canonical_, sender_canonical_, recipient_canonical_, virtual_;
};

} // namespace routing
