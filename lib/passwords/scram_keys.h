// scram_keys: what a server keeps of a password for SCRAM, and the arithmetic of its proofs: RFC 5802 3, RFC 7677.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace passwords {

struct ScramKeys {
    static constexpr unsigned default_iterations = 4096; // RFC 5802 5.1: at least
    static constexpr unsigned most_iterations = 1'000'000;

    std::string salt; // bytes
    unsigned iterations = default_iterations;
    std::string stored_key, server_key; // bytes

    // digest: OpenSSL's name, "SHA1" or "SHA256".
    static ScramKeys derive(std::string_view password, std::string salt, unsigned iterations, const char* digest);
    // Dovecot's "iterations,salt,stored key,server key", the last three in base64.
    static std::optional<ScramKeys> parse(std::string_view text, const char* digest);
    std::string text() const;
};

std::string hmac(std::string_view key, std::string_view text, const char* digest);
std::string hash(std::string_view text, const char* digest);
std::string exclusive_or(std::string_view a, std::string_view b); // REQUIRES: of one length

// Whether ClientProof was made with the password: H(proof XOR HMAC(StoredKey, message)) = StoredKey.
bool is_client_proof(const ScramKeys& keys, std::string_view proof, std::string_view message, const char* digest);

} // namespace passwords
