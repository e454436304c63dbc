// oauth_token_test: tokens by the example of RFC 7515, others signed here, and what makes one worthless.
#include "base/fd.h"
#include "base/text.h"
#include "catch.h"
#include "oauth_token.h"
#include "passwords/scram_keys.h"

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <cstdlib>
#include <filesystem>

using namespace auth;

namespace {

constexpr int64_t now = 1'300'000'000;

struct Keys {
    Keys()
    {
        char pattern[] = "/tmp/oauth-test.XXXXXX";
        rules.key_folder = ::mkdtemp(pattern);
        rules.username_attribute = "sub";
    }
    ~Keys() { std::filesystem::remove_all(rules.key_folder); }
    void keep(const std::string& party, const std::string& algorithm, const std::string& id, const std::string& text)
    {
        std::string folder = rules.key_folder + "/" + party + "/" + algorithm;
        std::filesystem::create_directories(folder);
        base::replace_file(folder + "/" + id, text, 0600);
    }
    OauthRules rules;
};

std::string base64url(std::string_view bytes)
{
    std::string text = base::to_base64(bytes);
    while (text.ends_with('=')) text.pop_back();
    return base::replace_all(base::replace_all(text, "+", "-"), "/", "_");
}

std::string unsigned_token(const std::string& header, const std::string& claims)
{
    return base64url(header) + "." + base64url(claims);
}

std::string hs256(const std::string& claims, const std::string& header = R"({"alg":"HS256"})")
{
    std::string text = unsigned_token(header, claims);
    return text + "." + base64url(passwords::hmac("shared secret", text, "SHA256"));
}

std::string public_pem(EVP_PKEY* key)
{
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PUBKEY(bio, key);
    char* data = nullptr;
    long size = BIO_get_mem_data(bio, &data);
    std::string text(data, static_cast<size_t>(size));
    BIO_free(bio);
    return text;
}

std::string sign(EVP_PKEY* key, const std::string& text)
{
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key);
    std::string made(1000, '\0');
    size_t size = made.size();
    auto* bytes = reinterpret_cast<unsigned char*>(made.data());
    EVP_DigestSign(context, bytes, &size, reinterpret_cast<const unsigned char*>(text.data()), text.size());
    EVP_MD_CTX_free(context);
    made.resize(size);
    return made;
}

std::string raw_numbers(const std::string& der)
{
    auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
    ECDSA_SIG* signature = d2i_ECDSA_SIG(nullptr, &bytes, static_cast<long>(der.size()));
    std::string raw(64, '\0');
    BN_bn2binpad(ECDSA_SIG_get0_r(signature), reinterpret_cast<unsigned char*>(raw.data()), 32);
    BN_bn2binpad(ECDSA_SIG_get0_s(signature), reinterpret_cast<unsigned char*>(raw.data()) + 32, 32);
    ECDSA_SIG_free(signature);
    return raw;
}

const std::string good_claims = R"({"sub":"joe","exp":1300000001,"iss":"https://id.example.org","aud":["mail","web"],"scope":"openid mail"})";

} // namespace

TEST_CASE("the token of RFC 7515 A.1, until it expires", "[auth]")
{
    Keys keys;
    keys.rules.username_attribute = "iss";
    keys.keep("default", "HS256", "default",
              "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ+EstJQLr/T+1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow==\n");
    std::string token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxl"
                        "LmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    TokenVerdict verdict = check_token(token, keys.rules, 1300819379);
    CHECK(verdict.kind == TokenVerdict::good);
    CHECK(verdict.user == "joe");
    CHECK(check_token(token, keys.rules, 1300819380).kind == TokenVerdict::invalid);
    token[token.size() - 3] ^= 1;
    CHECK(check_token(token, keys.rules, 1300819379).kind == TokenVerdict::invalid);
}

TEST_CASE("tokens by public keys, with the key that they name", "[auth]")
{
    Keys keys;
    EVP_PKEY* rsa = EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<size_t>(2048));
    EVP_PKEY* ec = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
    keys.keep("client", "RS256", "key%2F1", public_pem(rsa));
    keys.keep("default", "ES256", "default", public_pem(ec));
    std::string text = unsigned_token(R"({"alg":"RS256","kid":"key/1"})", R"({"sub":"joe","exp":1300000001,"azp":"client"})");
    CHECK(check_token(text + "." + base64url(sign(rsa, text)), keys.rules, now).user == "joe");
    text = unsigned_token(R"({"alg":"ES256"})", good_claims);
    std::string signature = sign(ec, text);
    CHECK(check_token(text + "." + base64url(raw_numbers(signature)), keys.rules, now).user == "joe");
    CHECK(check_token(text + "." + base64url(signature), keys.rules, now).kind == TokenVerdict::invalid);
    // A public key is no shared secret.
    keys.keep("default", "HS256", "default", public_pem(ec));
    text = unsigned_token(R"({"alg":"HS256"})", good_claims);
    CHECK(check_token(text + "." + base64url(passwords::hmac(public_pem(ec), text, "SHA256")), keys.rules, now).kind == TokenVerdict::invalid);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ec);
}

TEST_CASE("a token must be whole, in its time, for us, and of a known party", "[auth]")
{
    Keys keys;
    keys.keep("default", "HS256", "default", base::to_base64("shared secret"));
    keys.rules.issuers = {"https://id.example.org"};
    keys.rules.client_id = "mail";
    keys.rules.scope = {"mail"};
    CHECK(check_token(hs256(good_claims), keys.rules, now).kind == TokenVerdict::good);
    auto changed = [](std::string_view what, std::string_view with) { return hs256(base::replace_all(good_claims, what, with)); };
    const std::string worthless[] = {
        "", ".", "..", "a.b.c", hs256(good_claims) + "x", hs256(good_claims) + ".x", std::string(10000, 'a'),
        changed("1300000001", "1300000000"), changed("\"exp\":1300000001,", ""), changed("\"exp\"", "\"nbf\":1300000001,\"exp\""),
        changed("id.example.org", "evil.example.org"), changed("[\"mail\",\"web\"]", "\"web\""), changed("\"sub\":\"joe\",", ""),
        changed("{", "{\"azp\":\"../x\","), changed("{", "{\"azp\":\"other\","), hs256("not json"),
        hs256(good_claims, R"({"alg":"none"})"), hs256(good_claims, R"({"alg":"HS256","crit":["x"]})"),
        hs256(good_claims, R"({"alg":"HS256","kid":".."})"), unsigned_token(R"({"alg":"HS256"})", good_claims) + ".",
    };
    for (const auto& token : worthless) {
        CAPTURE(token);
        CHECK(check_token(token, keys.rules, now).kind == TokenVerdict::invalid);
    }
    CHECK(check_token(changed("openid mail", "openid mailbox"), keys.rules, now).kind == TokenVerdict::insufficient);
    CHECK(check_token(changed("\"openid mail\"", "[\"mail\"]"), keys.rules, now).kind == TokenVerdict::good);
    keys.rules.key_folder.clear();
    CHECK(check_token(hs256(good_claims), keys.rules, now).kind == TokenVerdict::invalid);
}
