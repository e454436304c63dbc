// oauth_token: JSON Web Tokens (RFC 7519) that vouch for a user, checked with keys from files: RS, ES and HS with SHA-256,
// -384 and -512 (RFC 7518 3).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace auth {

struct OauthRules {
    // Folder of keys: AZP/ALGORITHM/KEY-ID, each "default" where the token names none. PEM of a public key; for HS… the
    // secret in base64.
    std::string key_folder;
    std::string username_attribute = "email";
    std::vector<std::string> issuers; // empty: any
    std::vector<std::string> scope;   // words that the token's scope must have
    std::string client_id;            // must be in "aud"; "": any
    std::string openid_configuration_url;
};

struct TokenVerdict {
    enum Kind { good, invalid, insufficient } kind = invalid;
    std::string user; // good
    std::string why;  // for the log
};

// Reads a file: for a thread. Does not throw.
TokenVerdict check_token(std::string_view token, const OauthRules& rules, int64_t unix_now);

} // namespace auth
