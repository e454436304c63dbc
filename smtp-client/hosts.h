// hosts: from a destination to the hosts to try, in order (RFC 5321 5.1).
#pragma once

#include "destination.h"
#include "dns/resolver.h"
#include "problem.h"
#include "settings.h"

#include <string>
#include <vector>

namespace smtp_client {

struct Host {
    std::string name;
    net::Address address;               // with port
    unsigned preference = 0;            // of the MX record
    std::string full() const;           // "mx.example[192.0.2.1]"
    std::string full_with_port() const; // "mx.example[192.0.2.1]:25"
};

struct Hosts {
    std::vector<Host> list; // empty: problem says why
    Problem problem;
    bool detect_loop = false; // a host that calls itself by our name is ourselves
};

// Texts as Postfix has them.
Problem lookup_problem(dns::Status status, const std::string& name, std::string_view type);

// Cuts the list at the best preference that is ourselves. False when that leaves nothing.
bool drop_own(std::vector<Host>& hosts, const OwnAddresses& own);
// By preference of the MX records; equal ones shuffled (RFC 5321 5.1), then by address family as the settings want.
void put_in_order(std::vector<Host>& hosts, const Settings& settings);
// Cuts to address_limit, so that both families stay where there are both.
void cut_to_limit(std::vector<Host>& hosts, const Settings& settings);

async::Task<Hosts> find_hosts(Destination destination, dns::Resolver& resolver, const Settings& settings);

} // namespace smtp_client
