#include "rewrite_clients.h"

#include "session.h"

#include "base/log.h"
#include "base/text.h"
#include "maps/address_search.h"
#include "routing/own_addresses.h"

#include <algorithm>
#include <iterator>

namespace smtpd {
namespace {

constexpr std::string_view known_words[] = {"permit_inet_interfaces", "permit_mynetworks", "permit_sasl_authenticated", "permit_tls_clientcerts",
                                            "permit_tls_all_clientcerts"};

bool has_certificate(const Session& s) { return s.tls && s.tls->trust >= tls::Trust::trusted; }

} // namespace

RewriteClients::RewriteClients(const config::Config& config) : own_addresses_(routing::own_addresses(config)), certificates_(config.list("relay_clientcerts"))
{
    for (std::string name : config.local_header_rewrite_clients) {
        if (base::same_word(name, "check_address_map")) continue;     // the table follows, and stands for itself
        if (maps::is_table_name(name)) {
            words_.push_back({"", maps::Maps({name})});
        } else if (std::any_of(std::begin(known_words), std::end(known_words), [&](auto word) { return base::same_word(word, name); })) {
            words_.push_back({base::lower(name), {}});
        } else {
            base::log::warning("local_header_rewrite_clients: unknown request: {}", base::printable(name));
        }
    }
}

bool RewriteClients::contains(const Session& s)
{
    for (Word& word : words_) {
        bool fits = false;
        if (word.name.empty()) {
            fits = maps::find_network(word.table, s.client.address).has_value();
        } else if (word.name == "permit_inet_interfaces") {
            auto address = maps::Address::parse(s.client.address);
            fits = address && std::find(own_addresses_.begin(), own_addresses_.end(), *address) != own_addresses_.end();
        } else if (word.name == "permit_mynetworks") {
            fits = s.client.trusted;
        } else if (word.name == "permit_sasl_authenticated") {
            fits = !s.sasl_user.empty();
        } else if (word.name == "permit_tls_all_clientcerts") {
            fits = has_certificate(s);
        } else if (s.tls && !s.tls->peer_fingerprint.empty()) {
            fits = certificates_.find(s.tls->peer_fingerprint) || certificates_.find(s.tls->peer_key_fingerprint);
        }
        if (fits) return true;
    }
    return false;
}

} // namespace smtpd
