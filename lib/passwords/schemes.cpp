#include "passwords/schemes.h"

#include "base/random.h"
#include "base/text.h"
#include "passwords/cram_md5.h"
#include "passwords/scram_keys.h"
#include "sasl/secret.h"

#include <crypt.h>
#include <fmt/format.h>
#include <openssl/evp.h>

#include <cstring>
#include <iterator>
#include <memory>

namespace passwords {
namespace {

constexpr size_t longest_password = 4096;
constexpr size_t salt_size = 8;
constexpr size_t pbkdf2_size = 20;
constexpr unsigned pbkdf2_rounds = 5000;
constexpr unsigned most_rounds = 1'000'000; // a line of a file shall not keep a thread for minutes

enum class Encoding { none, hex, base64 };

struct Scheme {
    std::string_view name;
    Match (*check)(const Scheme& scheme, std::string_view password, std::string_view hash);
    std::optional<std::string> (*make)(const Scheme& scheme, std::string_view password, unsigned rounds);
    Encoding encoding = Encoding::none;
    const char* detail = nullptr; // of a digest its name, of crypt(3) its prefix
    bool salted = false;
};

Match match_if(bool same) { return same ? Match::yes : Match::no; }

struct WipedCrypt {
    void operator()(crypt_data* data) const
    {
        ::explicit_bzero(data, sizeof *data);
        delete data;
    }
};

std::string crypt_with(std::string_view password, std::string setting)
{
    std::unique_ptr<crypt_data, WipedCrypt> data(new crypt_data());
    sasl::Secret phrase(password);
    const char* made = ::crypt_r(phrase.text().c_str(), setting.c_str(), data.get());
    return !made || made[0] == '*' ? std::string() : std::string(made);
}

Match check_crypt(const Scheme&, std::string_view password, std::string_view hash)
{
    if (hash.empty() || hash.front() == '!' || hash.front() == '*' || hash == "x") return Match::no;
    std::string made = crypt_with(password, std::string(hash));
    if (made.empty()) return Match::unusable;
    return match_if(sasl::same_secret(made, hash));
}

std::optional<std::string> make_crypt(const Scheme& scheme, std::string_view password, unsigned rounds)
{
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    if (!::crypt_gensalt_rn(scheme.detail, rounds, nullptr, 0, setting, sizeof setting)) return std::nullopt;
    std::string made = crypt_with(password, setting);
    if (made.empty()) return std::nullopt;
    return made;
}

Match check_plain(const Scheme&, std::string_view password, std::string_view hash)
{
    return match_if(!hash.empty() && sasl::same_secret(password, hash));
}

std::optional<std::string> make_plain(const Scheme&, std::string_view password, unsigned)
{
    return std::string(password);
}

std::string digest_of(const char* name, std::string_view password, std::string_view salt)
{
    const EVP_MD* algorithm = EVP_get_digestbyname(name);
    if (!algorithm) return {};
    std::string input(password);
    input += salt;
    unsigned char made[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    bool done = EVP_Digest(input.data(), input.size(), made, &size, algorithm, nullptr) == 1;
    sasl::wipe(input);
    return done ? std::string(reinterpret_cast<char*>(made), size) : std::string();
}

// Digest of password and salt, then the salt itself. SSHA is old, but many files have it.
Match check_digest(const Scheme& scheme, std::string_view password, std::string_view bytes)
{
    size_t size = digest_of(scheme.detail, "", "").size();
    if (size == 0 || bytes.size() < size || (!scheme.salted && bytes.size() != size)) return Match::unusable;
    return match_if(sasl::same_secret(digest_of(scheme.detail, password, bytes.substr(size)), bytes.substr(0, size)));
}

std::optional<std::string> make_digest(const Scheme& scheme, std::string_view password, unsigned)
{
    std::string salt = scheme.salted ? base::random_bytes(salt_size) : std::string();
    std::string digest = digest_of(scheme.detail, password, salt);
    if (digest.empty()) return std::nullopt;
    return digest + salt;
}

// Dovecot: $1$salt$rounds$hexadecimal, with SHA-1.
std::string pbkdf2(std::string_view password, std::string_view salt, unsigned rounds)
{
    unsigned char made[pbkdf2_size];
    if (PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
                          reinterpret_cast<const unsigned char*>(salt.data()), static_cast<int>(salt.size()),
                          static_cast<int>(rounds), EVP_sha1(), sizeof made, made) != 1)
        return {};
    return base::to_hex(std::string_view(reinterpret_cast<char*>(made), sizeof made));
}

Match check_pbkdf2(const Scheme&, std::string_view password, std::string_view hash)
{
    auto parts = base::split_exact(hash, '$');
    if (parts.size() != 5 || !parts[0].empty() || parts[1] != "1") return Match::unusable;
    auto rounds = base::number<unsigned>(parts[3]);
    if (!rounds || *rounds == 0 || *rounds > most_rounds || parts[4].size() != pbkdf2_size * 2) return Match::unusable;
    return match_if(sasl::same_secret(pbkdf2(password, parts[2], *rounds), base::lower(parts[4])));
}

std::optional<std::string> make_pbkdf2(const Scheme&, std::string_view password, unsigned rounds)
{
    unsigned count = rounds == 0 ? pbkdf2_rounds : rounds;
    if (count > most_rounds) return std::nullopt;
    std::string salt = base::random_token(16);
    return fmt::format("$1${}${}${}", salt, count, pbkdf2(password, salt, count));
}

Match check_scram(const Scheme& scheme, std::string_view password, std::string_view hash)
{
    auto keys = ScramKeys::parse(hash, scheme.detail);
    if (!keys) return Match::unusable;
    auto made = ScramKeys::derive(password, keys->salt, keys->iterations, scheme.detail);
    return match_if(sasl::same_secret(made.stored_key, keys->stored_key));
}

std::optional<std::string> make_scram(const Scheme& scheme, std::string_view password, unsigned rounds)
{
    unsigned iterations = rounds == 0 ? ScramKeys::default_iterations : rounds;
    if (iterations < ScramKeys::default_iterations || iterations > ScramKeys::most_iterations) return std::nullopt;
    return ScramKeys::derive(password, base::random_bytes(16), iterations, scheme.detail).text();
}

Match check_cram_md5(const Scheme&, std::string_view password, std::string_view hash)
{
    if (!CramMd5Key::parse(hash)) return Match::unusable;
    return match_if(sasl::same_secret(CramMd5Key::of_password(password).text(), base::lower(hash)));
}

std::optional<std::string> make_cram_md5(const Scheme&, std::string_view password, unsigned)
{
    return CramMd5Key::of_password(password).text();
}

constexpr Encoding none = Encoding::none, hex = Encoding::hex, base64 = Encoding::base64;
constexpr Scheme schemes[] = {
    {"CRYPT", check_crypt, make_crypt, none, "$2y$"},
    {"YESCRYPT", check_crypt, make_crypt, none, "$y$"},
    {"SHA512-CRYPT", check_crypt, make_crypt, none, "$6$"},
    {"SHA256-CRYPT", check_crypt, make_crypt, none, "$5$"},
    {"BLF-CRYPT", check_crypt, make_crypt, none, "$2y$"},
    {"MD5-CRYPT", check_crypt, make_crypt, none, "$1$"},
    {"MD5", check_crypt, make_crypt, none, "$1$"},
    {"DES-CRYPT", check_crypt, make_crypt, none, ""},
    {"SCRAM-SHA-256", check_scram, make_scram, none, "SHA256"},
    {"SCRAM-SHA-1", check_scram, make_scram, none, "SHA1"},
    {"PBKDF2", check_pbkdf2, make_pbkdf2},
    {"CRAM-MD5", check_cram_md5, make_cram_md5},
    {"HMAC-MD5", check_cram_md5, make_cram_md5},
    {"PLAIN", check_plain, make_plain},
    {"CLEAR", check_plain, make_plain},
    {"CLEARTEXT", check_plain, make_plain},
    {"SSHA512", check_digest, make_digest, base64, "SHA512", true},
    {"SSHA256", check_digest, make_digest, base64, "SHA256", true},
    {"SSHA", check_digest, make_digest, base64, "SHA1", true},
    {"SMD5", check_digest, make_digest, base64, "MD5", true},
    {"SHA512", check_digest, make_digest, base64, "SHA512"},
    {"SHA256", check_digest, make_digest, base64, "SHA256"},
    {"SHA", check_digest, make_digest, base64, "SHA1"},
    {"SHA1", check_digest, make_digest, base64, "SHA1"},
    {"LDAP-MD5", check_digest, make_digest, base64, "MD5"},
    {"PLAIN-MD5", check_digest, make_digest, hex, "MD5"},
};

const Scheme* find(std::string_view name)
{
    for (const auto& scheme : schemes)
        if (base::same_word(scheme.name, name)) return &scheme;
    return nullptr;
}

bool is_digest(const Scheme& scheme) { return scheme.check == check_digest; }

std::optional<std::string> padded_base64(std::string_view text)
{
    std::string padded(text);
    while (padded.size() % 4 != 0) padded += '=';
    return base::from_base64(padded);
}

// Without a word on it, a digest is in the scheme's encoding or the other one: none is so short that they could be mistaken.
std::optional<std::string> decode(const Scheme& scheme, const Stored& stored)
{
    if (base::same_word(stored.encoding, "HEX")) return base::from_hex(stored.hash);
    if (base::same_word(stored.encoding, "B64") || base::same_word(stored.encoding, "BASE64"))
        return padded_base64(stored.hash);
    if (base::same_word(stored.encoding, "NONE")) return std::string(stored.hash);
    if (!stored.encoding.empty()) return std::nullopt;
    if (!is_digest(scheme)) return std::string(stored.hash);
    size_t size = digest_of(scheme.detail, "", "").size();
    auto from_hex = base::from_hex(stored.hash);
    bool is_hex = from_hex && stored.hash.size() >= size * 2;
    return is_hex ? from_hex : padded_base64(stored.hash);
}

std::string encode(Encoding encoding, std::string bytes)
{
    if (encoding == Encoding::hex) return base::to_hex(bytes);
    if (encoding == Encoding::base64) return base::to_base64(bytes);
    return bytes;
}

std::optional<Encoding> encoding_named(std::string_view word, Encoding own)
{
    if (word.empty()) return own;
    if (base::same_word(word, "HEX")) return Encoding::hex;
    if (base::same_word(word, "B64") || base::same_word(word, "BASE64")) return Encoding::base64;
    return std::nullopt;
}

// crypt(3) would take what stands before a NUL for all of it.
bool can_be_password(std::string_view password)
{
    return password.size() <= longest_password && password.find('\0') == std::string_view::npos;
}

} // namespace

Stored split_stored(std::string_view stored)
{
    size_t end = stored.starts_with('{') ? stored.find('}') : std::string_view::npos;
    if (end == std::string_view::npos) return {"CRYPT", "", stored};
    auto [name, encoding, found] = base::cut(stored.substr(1, end - 1), '.');
    return {name, encoding, stored.substr(end + 1)};
}

Match check_password(std::string_view password, std::string_view stored)
{
    if (!can_be_password(password)) return Match::no;
    Stored parts = split_stored(stored);
    const Scheme* scheme = find(parts.scheme);
    if (!scheme) return Match::unusable;
    if (parts.hash.empty()) return Match::no;
    auto hash = decode(*scheme, parts);
    if (!hash) return Match::unusable;
    Match match = scheme->check(*scheme, password, *hash);
    sasl::wipe(*hash);
    return match;
}

std::optional<std::string> make_password(std::string_view name, std::string_view password, unsigned rounds)
{
    auto [scheme_name, encoding_word, found] = base::cut(name, '.');
    const Scheme* scheme = find(scheme_name);
    if (!scheme || !can_be_password(password)) return std::nullopt;
    auto encoding = encoding_named(encoding_word, scheme->encoding);
    if (!encoding) return std::nullopt;
    auto hash = scheme->make(*scheme, password, rounds);
    if (!hash) return std::nullopt;
    return fmt::format("{{{}}}{}", base::upper(name), encode(*encoding, std::move(*hash)));
}

std::optional<std::string> hash_for(std::string_view stored, std::string_view wanted)
{
    Stored parts = split_stored(stored);
    const Scheme* have = find(parts.scheme);
    const Scheme* want = find(wanted);
    if (!have || !want || parts.hash.empty()) return std::nullopt;
    auto hash = decode(*have, parts);
    if (!hash || have == want) return hash;
    if (have->check == check_cram_md5 && want->check == check_cram_md5) return hash;
    if (have->check != check_plain || !can_be_password(*hash)) return std::nullopt;
    auto made = want->make(*want, *hash, 0);
    sasl::wipe(*hash);
    return made;
}

std::vector<std::string_view> scheme_names()
{
    std::vector<std::string_view> names;
    for (const auto& scheme : schemes) names.push_back(scheme.name);
    return names;
}

} // namespace passwords
