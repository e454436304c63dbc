#include "oauth_token.h"

#include "base/fd.h"
#include "base/text.h"
#include "json_object.h"
#include "passwords/scram_keys.h"
#include "sasl/secret.h"

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <memory>
#include <optional>

namespace auth {
namespace {

constexpr size_t longest_token = 8192;
constexpr size_t largest_key = 1 << 16;

template <auto function> struct FreeBy {
    template <class T> void operator()(T* object) const { function(object); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeBy<EVP_PKEY_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, FreeBy<ECDSA_SIG_free>>;

struct Algorithm {
    std::string_view name;
    int key_type; // EVP_PKEY_…; EVP_PKEY_HMAC: a shared secret
    const char* digest;
    size_t half = 0; // ES…: bytes of each of the two numbers
};
constexpr Algorithm algorithms[] = {
    {"RS256", EVP_PKEY_RSA, "SHA256"},     {"RS384", EVP_PKEY_RSA, "SHA384"},     {"RS512", EVP_PKEY_RSA, "SHA512"},
    {"ES256", EVP_PKEY_EC, "SHA256", 32},  {"ES384", EVP_PKEY_EC, "SHA384", 48},  {"ES512", EVP_PKEY_EC, "SHA512", 66},
    {"HS256", EVP_PKEY_HMAC, "SHA256"},    {"HS384", EVP_PKEY_HMAC, "SHA384"},    {"HS512", EVP_PKEY_HMAC, "SHA512"},
};

// RFC 7515 2: base64url without padding.
std::optional<std::string> from_base64url(std::string_view text)
{
    std::string plain(text);
    if (plain.find_first_of("+/=") != std::string::npos) return std::nullopt;
    std::replace(plain.begin(), plain.end(), '-', '+');
    std::replace(plain.begin(), plain.end(), '_', '/');
    while (plain.size() % 4 != 0) plain += '=';
    return base::from_base64(plain);
}

std::string text_of(const JsonObject& object, const std::string& name)
{
    auto found = object.find(name);
    return found != object.end() && found->second.kind == JsonMember::text ? found->second.value : std::string();
}

std::optional<int64_t> time_of(const JsonObject& object, const std::string& name)
{
    auto found = object.find(name);
    if (found == object.end() || found->second.kind != JsonMember::number) return std::nullopt;
    return base::number<int64_t>(base::cut(found->second.value, '.').before);
}

// As Dovecot names them: what would leave the folder becomes %2F, and % itself %25.
std::optional<std::string> file_word(const std::string& word)
{
    if (word.empty()) return "default";
    if (word.front() == '.' || word.size() > 200 || word.find('\0') != std::string::npos) return std::nullopt;
    return base::replace_all(base::replace_all(word, "%", "%25"), "/", "%2F");
}

std::string der_signature(std::string_view raw, size_t half)
{
    if (raw.size() != half * 2) return {};
    auto* bytes = reinterpret_cast<const unsigned char*>(raw.data());
    Signature signature(ECDSA_SIG_new());
    BIGNUM* r = BN_bin2bn(bytes, static_cast<int>(half), nullptr);
    BIGNUM* s = BN_bin2bn(bytes + half, static_cast<int>(half), nullptr);
    ECDSA_SIG_set0(signature.get(), r, s);
    unsigned char* der = nullptr;
    int size = i2d_ECDSA_SIG(signature.get(), &der);
    std::string result(reinterpret_cast<char*>(der), size > 0 ? static_cast<size_t>(size) : 0);
    OPENSSL_free(der);
    return result;
}

bool is_signed(const Algorithm& algorithm, const std::string& key_text, std::string_view text, std::string signature)
{
    if (algorithm.key_type == EVP_PKEY_HMAC) {
        auto secret = base::from_base64(base::trim(key_text));
        return secret && !secret->empty() && sasl::same_secret(passwords::hmac(*secret, text, algorithm.digest), signature);
    }
    std::unique_ptr<BIO, FreeBy<BIO_free_all>> bio(BIO_new_mem_buf(key_text.data(), static_cast<int>(key_text.size())));
    Key key(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
    // A token chooses the algorithm, but not what a key is for.
    if (!key || EVP_PKEY_get_base_id(key.get()) != algorithm.key_type) return false;
    if (algorithm.half != 0) signature = der_signature(signature, algorithm.half);
    std::unique_ptr<EVP_MD_CTX, FreeBy<EVP_MD_CTX_free>> context(EVP_MD_CTX_new());
    if (EVP_DigestVerifyInit(context.get(), nullptr, EVP_get_digestbyname(algorithm.digest), nullptr, key.get()) != 1) return false;
    return EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                            reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
}

std::string signature_trouble(const JsonObject& header, const JsonObject& claims, std::string_view text,
                              const std::string& signature, const OauthRules& rules)
{
    std::string name = text_of(header, "alg");
    auto* algorithm = std::find_if(std::begin(algorithms), std::end(algorithms), [&](const Algorithm& a) { return a.name == name; });
    if (algorithm == std::end(algorithms)) return "token with algorithm \"" + base::printable(name, 40) + "\"";
    if (header.contains("crit")) return "token with critical extensions";
    auto party = file_word(text_of(claims, "azp")), id = file_word(text_of(header, "kid"));
    if (!party || !id) return "token names an impossible key";
    std::string file = rules.key_folder + "/" + *party + "/" + name + "/" + *id;
    std::string key;
    try {
        key = base::read_file(file, largest_key);
    } catch (const std::exception& failure) {
        return std::string("no key for this token: ") + failure.what();
    }
    return is_signed(*algorithm, key, text, signature) ? "" : "the token's signature does not fit the key " + file;
}

std::string time_trouble(const JsonObject& claims, int64_t now)
{
    auto until = time_of(claims, "exp"), from = time_of(claims, "nbf"), made = time_of(claims, "iat");
    if (!until) return "token without an end (exp)";
    if (now >= *until) return "token has expired";
    if ((from && now < *from) || (made && now < *made)) return "token is not valid yet";
    return {};
}

bool is_among(const std::vector<std::string>& list, const std::string& word)
{
    return std::find(list.begin(), list.end(), word) != list.end();
}

std::string party_trouble(const JsonObject& claims, const OauthRules& rules)
{
    std::string issuer = text_of(claims, "iss");
    if (!rules.issuers.empty() && !is_among(rules.issuers, issuer))
        return "token of issuer \"" + base::printable(issuer, 200) + "\"";
    if (rules.client_id.empty()) return {};
    auto audience = claims.find("aud");
    bool for_us = audience != claims.end() && (audience->second.value == rules.client_id || is_among(audience->second.values, rules.client_id));
    return for_us ? "" : "token is for another audience";
}

bool has_scope(const JsonObject& claims, const OauthRules& rules)
{
    std::vector<std::string> scope;
    auto found = claims.find("scope");
    if (found != claims.end()) scope = found->second.values;
    std::string words = text_of(claims, "scope");
    for (auto word : base::split(words)) scope.emplace_back(word);
    return std::all_of(rules.scope.begin(), rules.scope.end(), [&](const std::string& word) { return is_among(scope, word); });
}

TokenVerdict invalid(std::string why) { return {TokenVerdict::invalid, "", std::move(why)}; }

} // namespace

TokenVerdict check_token(std::string_view token, const OauthRules& rules, int64_t unix_now)
{
    if (rules.key_folder.empty()) return invalid("oauth2_local_validation_key_dict is not set");
    auto parts = base::split_exact(token, '.');
    if (token.size() > longest_token || parts.size() != 3) return invalid("not a JSON Web Token");
    auto header_text = from_base64url(parts[0]), claims_text = from_base64url(parts[1]), signature = from_base64url(parts[2]);
    auto header = header_text ? parse_json_object(*header_text) : std::nullopt;
    auto claims = claims_text ? parse_json_object(*claims_text) : std::nullopt;
    if (!header || !claims || !signature) return invalid("malformed JSON Web Token");
    std::string_view text = token.substr(0, parts[0].size() + 1 + parts[1].size());
    std::string trouble = signature_trouble(*header, *claims, text, *signature, rules);
    if (trouble.empty()) trouble = time_trouble(*claims, unix_now);
    if (trouble.empty()) trouble = party_trouble(*claims, rules);
    if (!trouble.empty()) return invalid(trouble);
    if (!has_scope(*claims, rules)) return {TokenVerdict::insufficient, "", "token lacks the scope " + base::join(rules.scope, " ")};
    std::string user = text_of(*claims, rules.username_attribute);
    if (user.empty()) return invalid("token without " + rules.username_attribute);
    return {TokenVerdict::good, user, ""};
}

} // namespace auth
