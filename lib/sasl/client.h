// client: our side of a SASL exchange (RFC 4422), for when we log in to a relay. Pure: bytes in, bytes out, base64 and
// lines are the caller's.
#pragma once

#include "sasl/secret.h"

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace sasl {

// The server's challenge makes no sense, or it could not prove that it knows the password.
class BadChallenge : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

struct Credentials {
    std::string user;
    Secret password; // or the bearer token of XOAUTH2 and OAUTHBEARER
    std::string host; // of the server, which OAUTHBEARER names
    uint16_t port = 0;
};

class Client {
public:
    virtual ~Client() = default;
    // What goes beside the mechanism's name; nothing where the server speaks first.
    virtual std::optional<Secret> initial() = 0;
    // Throws BadChallenge.
    virtual Secret respond(std::string_view challenge) = 0;
    // False while the server still owes us its proof: its word that we are welcome counts for nothing then.
    virtual bool satisfied() const { return true; }
};

// What a mechanism is asked for (smtp_sasl_security_options).
enum Demand : unsigned {
    no_plaintext = 1, // of passwords on the wire
    no_active = 2,    // none that somebody in the middle can turn to his use
    no_dictionary = 4,
    no_anonymous = 8,
    mutual = 16, // the server proves itself, too
};
// Nothing for a word that is none: its name is left in `unknown`.
std::optional<unsigned> parse_demands(const std::vector<std::string>& words, std::string& unknown);

// The best of those offered (upper case) that meets the demands; empty when there is none.
std::string choose_mechanism(const std::vector<std::string>& offered, unsigned demands);
// Null for a mechanism that we do not speak.
std::unique_ptr<Client> make_client(std::string_view mechanism, Credentials credentials);

} // namespace sasl
