// sasl: which mechanisms a client may use, and what auth is told of its connection.
#pragma once

#include "config/config.h"
#include "maps/matchlist.h"
#include "sasl/auth_client.h"

#include <string>
#include <vector>

namespace smtpd {

struct Session;

// smtpd_sasl_security_options and its kin.
class SaslRules {
public:
    explicit SaslRules(const config::Config& config);

    bool allows(const sasl::Mechanism& mechanism, bool under_tls, bool can_bind);
    // smtpd_sasl_exceptions_networks: clients that are not offered AUTH.
    bool is_exempt(const std::string& name, const std::string& address) { return exceptions_.contains(name, address); }

private:
    maps::MatchList filter_;
    maps::NetworkList exceptions_;
    std::vector<std::string> in_clear_, under_tls_;
};

// What a word of smtpd_sasl_security_options says of a mechanism; nothing for an unknown word.
std::optional<bool> fulfils(const sasl::Mechanism& mechanism, std::string_view option);

// The mechanisms that this client may use now; empty when auth does not answer.
async::Task<std::vector<std::string>> sasl_mechanisms(Session& s);
// A request to auth, but for the client's response.
sasl::Request sasl_request(const Session& s, const std::string& mechanism);

} // namespace smtpd
