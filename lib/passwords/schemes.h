// schemes: stored passwords as Dovecot writes them, "{SCHEME}hash": checked, made, and turned into what a SASL mechanism
// needs. Nothing is thrown; costly ones (crypt, PBKDF2) take a tenth of a second and belong on a thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace passwords {

// "{SHA256.HEX}…" is scheme SHA256 in the encoding HEX. Without braces it is CRYPT.
struct Stored {
    std::string_view scheme;
    std::string_view encoding; // "HEX", "B64", "BASE64", "NONE"; "": the scheme's own
    std::string_view hash;
};
Stored split_stored(std::string_view stored);

enum class Match {
    no,
    yes,
    unusable, // unknown scheme or malformed hash: the administrator should know
};

// An empty hash matches nothing.
Match check_password(std::string_view password, std::string_view stored);

// "{SCHEME}hash" with a fresh salt. rounds: 0 is the scheme's default. Nothing for a scheme that is not known or cannot
// hold this password.
std::optional<std::string> make_password(std::string_view scheme, std::string_view password, unsigned rounds = 0);

// The hash of scheme `wanted` (SCRAM-SHA-1, SCRAM-SHA-256, CRAM-MD5), without braces: as it is stored, or made of a
// password that is stored in the clear. Nothing when it can't be had.
std::optional<std::string> hash_for(std::string_view stored, std::string_view wanted);

std::vector<std::string_view> scheme_names();

} // namespace passwords
