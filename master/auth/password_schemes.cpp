#include "password_schemes.h"

#include "base/text.h"
#include "sasl/secret.h"

#include <crypt.h>
#include <openssl/evp.h>

#include <cstring>
#include <memory>
#include <optional>

namespace auth {
namespace {

constexpr size_t longest_password = 4096;

Match check_crypt(std::string_view password, std::string_view hash, const char*)
{
    if (hash.empty() || hash.front() == '!' || hash.front() == '*' || hash == "x") return Match::no;
    struct Wiped {
        void operator()(crypt_data* data) const
        {
            ::explicit_bzero(data, sizeof *data);
            delete data;
        }
    };
    std::unique_ptr<crypt_data, Wiped> data(new crypt_data());
    sasl::Secret phrase(password);
    std::string setting(hash);
    const char* made = ::crypt_r(phrase.text().c_str(), setting.c_str(), data.get());
    if (!made || made[0] == '*') return Match::unusable;
    return sasl::same_secret(made, hash) ? Match::yes : Match::no;
}

Match check_plain(std::string_view password, std::string_view hash, const char*)
{
    return !hash.empty() && sasl::same_secret(password, hash) ? Match::yes : Match::no;
}

// Base64, or hexadecimal digits: no digest is so short that one could be taken for the other.
std::optional<std::string> decode_digest(std::string_view hash, size_t size)
{
    bool hex = hash.size() >= size * 2 && base::from_hex(hash).has_value();
    return hex ? base::from_hex(hash) : base::from_base64(hash);
}

// Digest of password and salt, then the salt itself. SSHA is old, but many files have it.
Match check_digest(std::string_view password, std::string_view hash, const char* digest, bool salted)
{
    const EVP_MD* algorithm = EVP_get_digestbyname(digest);
    if (!algorithm) return Match::unusable;
    size_t size = static_cast<size_t>(EVP_MD_get_size(algorithm));
    auto bytes = decode_digest(hash, size);
    if (!bytes || bytes->size() < size || (!salted && bytes->size() != size)) return Match::unusable;
    std::string input(password);
    input += bytes->substr(size);
    unsigned char made[EVP_MAX_MD_SIZE];
    bool done = EVP_Digest(input.data(), input.size(), made, nullptr, algorithm, nullptr) == 1;
    sasl::wipe(input);
    if (!done) return Match::unusable;
    std::string_view expected(bytes->data(), size);
    return sasl::same_secret(std::string_view(reinterpret_cast<char*>(made), size), expected) ? Match::yes : Match::no;
}

Match check_salted(std::string_view password, std::string_view hash, const char* digest)
{
    return check_digest(password, hash, digest, true);
}
Match check_unsalted(std::string_view password, std::string_view hash, const char* digest)
{
    return check_digest(password, hash, digest, false);
}

struct Scheme {
    std::string_view name;
    Match (*check)(std::string_view password, std::string_view hash, const char* digest);
    const char* digest;
};

constexpr Scheme schemes[] = {
    {"CRYPT", check_crypt, nullptr},        {"YESCRYPT", check_crypt, nullptr},  {"SHA512-CRYPT", check_crypt, nullptr},
    {"SHA256-CRYPT", check_crypt, nullptr}, {"BLF-CRYPT", check_crypt, nullptr}, {"MD5-CRYPT", check_crypt, nullptr},
    {"DES-CRYPT", check_crypt, nullptr},    {"PLAIN", check_plain, nullptr},     {"CLEAR", check_plain, nullptr},
    {"CLEARTEXT", check_plain, nullptr},    {"SSHA512", check_salted, "SHA512"}, {"SSHA256", check_salted, "SHA256"},
    {"SSHA", check_salted, "SHA1"},         {"SMD5", check_salted, "MD5"},       {"SHA512", check_unsalted, "SHA512"},
    {"SHA256", check_unsalted, "SHA256"},   {"SHA", check_unsalted, "SHA1"},     {"SHA1", check_unsalted, "SHA1"},
    {"PLAIN-MD5", check_unsalted, "MD5"},
};

} // namespace

Stored split_stored(std::string_view stored)
{
    size_t end = stored.starts_with('{') ? stored.find('}') : std::string_view::npos;
    if (end == std::string_view::npos) return {"CRYPT", stored};
    return {stored.substr(1, end - 1), stored.substr(end + 1)};
}

Match check_password(std::string_view password, std::string_view stored)
{
    // crypt(3) would take what stands before a NUL for all of it.
    if (password.size() > longest_password || password.find('\0') != std::string_view::npos) return Match::no;
    auto [scheme_and_encoding, hash] = split_stored(stored);
    std::string_view name = base::cut(scheme_and_encoding, '.').before;
    for (const auto& scheme : schemes)
        if (base::same_word(scheme.name, name)) return scheme.check(password, hash, scheme.digest);
    return Match::unusable;
}

} // namespace auth
