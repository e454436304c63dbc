#include "passwords/scram_keys.h"

#include "base/text.h"
#include "sasl/secret.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace passwords {
namespace {

const unsigned char* bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

size_t size_of(const char* digest) { return static_cast<size_t>(EVP_MD_get_size(EVP_get_digestbyname(digest))); }

} // namespace

std::string hmac(std::string_view key, std::string_view text, const char* digest)
{
    unsigned char made[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    HMAC(EVP_get_digestbyname(digest), key.data(), static_cast<int>(key.size()), bytes(text), text.size(), made, &size);
    return std::string(reinterpret_cast<char*>(made), size);
}

std::string hash(std::string_view text, const char* digest)
{
    unsigned char made[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_Digest(text.data(), text.size(), made, &size, EVP_get_digestbyname(digest), nullptr);
    return std::string(reinterpret_cast<char*>(made), size);
}

std::string exclusive_or(std::string_view a, std::string_view b)
{
    std::string result(a);
    for (size_t i = 0; i < result.size(); ++i) result[i] = static_cast<char>(result[i] ^ b[i]);
    return result;
}

ScramKeys ScramKeys::derive(std::string_view password, std::string salt, unsigned iterations, const char* digest)
{
    std::string salted(size_of(digest), '\0');
    PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), bytes(salt), static_cast<int>(salt.size()),
                      static_cast<int>(iterations), EVP_get_digestbyname(digest), static_cast<int>(salted.size()),
                      reinterpret_cast<unsigned char*>(salted.data()));
    ScramKeys keys;
    keys.salt = std::move(salt);
    keys.iterations = iterations;
    keys.stored_key = hash(hmac(salted, "Client Key", digest), digest);
    keys.server_key = hmac(salted, "Server Key", digest);
    sasl::wipe(salted);
    return keys;
}

std::optional<ScramKeys> ScramKeys::parse(std::string_view text, const char* digest)
{
    auto parts = base::split_exact(text, ',');
    if (parts.size() != 4) return std::nullopt;
    auto iterations = base::number<unsigned>(parts[0]);
    auto salt = base::from_base64(parts[1]), stored = base::from_base64(parts[2]), server = base::from_base64(parts[3]);
    if (!iterations || *iterations == 0 || *iterations > most_iterations) return std::nullopt;
    if (!salt || salt->empty() || !stored || !server) return std::nullopt;
    if (stored->size() != size_of(digest) || server->size() != size_of(digest)) return std::nullopt;
    ScramKeys keys;
    keys.iterations = *iterations;
    keys.salt = std::move(*salt);
    keys.stored_key = std::move(*stored);
    keys.server_key = std::move(*server);
    return keys;
}

std::string ScramKeys::text() const
{
    return fmt::format("{},{},{},{}", iterations, base::to_base64(salt), base::to_base64(stored_key),
                       base::to_base64(server_key));
}

bool is_client_proof(const ScramKeys& keys, std::string_view proof, std::string_view message, const char* digest)
{
    if (proof.size() != keys.stored_key.size()) return false;
    std::string client_key = exclusive_or(proof, hmac(keys.stored_key, message, digest));
    return sasl::same_secret(hash(client_key, digest), keys.stored_key);
}

} // namespace passwords
