// domains: to which of the five address classes a domain belongs (ADDRESS_CLASS_README of Postfix).
#pragma once

#include "maps/matchlist.h"
#include "maps/network.h"

#include <string>
#include <string_view>
#include <vector>

namespace config {
class Config;
}

namespace routing {

enum class AddressClass { local, virtual_alias, virtual_mailbox, relay, default_ };

class Domains {
public:
    Domains(const config::Config& config, std::vector<maps::Address> own_addresses);

    // The empty domain is local. Throws maps::Unavailable.
    AddressClass classify(std::string_view domain);
    bool is_local(std::string_view domain);
    // Domains that canonical and virtual tables may name by a bare user: local ones and myorigin.
    bool is_local_or_origin(std::string_view domain);

private:
    bool is_own_address(std::string_view literal) const;

    std::string origin_;
    bool numeric_domains_;
    std::vector<maps::Address> own_addresses_;
    maps::MatchList local_, virtual_alias_, virtual_mailbox_, relay_;
};

// Whether parent_domain_matches_subdomains names that list.
bool parents_match(const config::Config& config, std::string_view list);

} // namespace routing
