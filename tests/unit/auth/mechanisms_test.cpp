// mechanisms_test: the dialogues of SCRAM, CRAM-MD5, EXTERNAL and the two of OAuth, by the examples of their RFCs, and
// what each must refuse.
#include "base/text.h"
#include "catch.h"
#include "json_object.h"
#include "mechanism_scram.h"
#include "passwords/schemes.h"

#include <openssl/evp.h>

using namespace auth;

namespace {

Move say(Mechanism& mechanism, std::string_view text) { return mechanism.next(sasl::Secret(text)); }

std::string hash_of_example(const char* digest, const char* salt)
{
    return passwords::ScramKeys::derive("pencil", base::from_base64(salt).value(), 4096, digest).text();
}

constexpr ScramKind sha1{"SCRAM-SHA-1", "SHA1", false}, sha1_plus{"SCRAM-SHA-1", "SHA1", true};
constexpr ScramKind sha256{"SCRAM-SHA-256", "SHA256", false};

std::unique_ptr<Mechanism> external(const std::string& name)
{
    Circumstances given;
    given.certificate_name = name;
    return find_mechanism("external")->make(given);
}

} // namespace

TEST_CASE("SCRAM-SHA-1 as in RFC 5802 5", "[auth]")
{
    Scram scram(sha1, {}, "3rfcNHYJY1ZVvWVs7j");
    CHECK(scram.next(std::nullopt).kind == Move::challenge);
    Move move = say(scram, "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL");
    CHECK(move.kind == Move::want_hash);
    CHECK(move.user == "user");
    CHECK(move.scheme == "SCRAM-SHA-1");
    move = scram.with_hash(hash_of_example("SHA1", "QSXCR+Q6sek8bf92"));
    CHECK(move.text == "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096");
    SECTION("the right proof")
    {
        move = say(scram, "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=");
        CHECK(move.kind == Move::proven);
        CHECK(move.user == "user");
        CHECK(move.text == "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=");
    }
    SECTION("wrong ones")
    {
        auto final_message =
            GENERATE("c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Tw=",
                     "c=biws,r=fyko+d2lbbFgONRv9qkxdawL,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
                     "c=eSws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
                     "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j", "p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=", "", ",,,");
        CHECK(say(scram, final_message).kind == Move::refused);
        CHECK(say(scram, "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=").kind == Move::refused);
    }
}

TEST_CASE("SCRAM-SHA-256 as in RFC 7677 3", "[auth]")
{
    Scram scram(sha256, {}, "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");
    CHECK(say(scram, "n,,n=user,r=rOprNGfwEbeRWgbNEkqO").kind == Move::want_hash);
    Move move = scram.with_hash(hash_of_example("SHA256", "W22ZaJ0SNY7soEsUEjb6gQ=="));
    CHECK(move.text == "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
    move = say(scram, "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
    CHECK(move.kind == Move::proven);
    CHECK(move.text == "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

TEST_CASE("the first message of SCRAM, accepted and refused", "[auth]")
{
    struct Case {
        const char* message;
        const char* user; // null: refused
    };
    const Case cases[] = {
        {"n,,n=a=2Cb=3Dc,r=x", "a,b=c"}, {"y,,n=joe,r=x", "joe"}, {"n,a=joe,n=joe,r=x", "joe"}, {"n,,n=joe,r=x,ext=1", "joe"},
        {"n,a=root,n=joe,r=x", nullptr}, {"n,,n=a=2cb,r=x", nullptr}, {"n,,n=a=,r=x", nullptr}, {"n,,n=,r=x", nullptr},
        {"n,,n=joe,r=", nullptr}, {"n,,n=joe", nullptr}, {"n,,m=x,n=joe,r=x", nullptr}, {"n,n=joe,r=x", nullptr},
        {"p=tls-exporter,,n=joe,r=x", nullptr}, {"z,,n=joe,r=x", nullptr}, {"", nullptr}, {"n", nullptr}, {"n,,", nullptr},
        {"n,,n=joe,r=a b", nullptr}, {"n,joe,n=joe,r=x", nullptr},
    };
    for (const auto& c : cases) {
        CAPTURE(c.message);
        Scram scram(sha1, {}, "nonce");
        Move move = say(scram, c.message);
        CHECK((move.kind == Move::want_hash) == (c.user != nullptr));
        if (c.user) CHECK(move.user == c.user);
    }
}

TEST_CASE("channel binding is demanded, compared, and not to be talked out of", "[auth]")
{
    Circumstances given;
    given.tls_exporter = std::string(32, 'e');
    given.offers_binding = true;
    Scram downgraded(sha1, given, "nonce");
    CHECK(say(downgraded, "y,,n=joe,r=x").kind == Move::refused);
    Scram unaware(sha1, given, "nonce");
    CHECK(say(unaware, "n,,n=joe,r=x").kind == Move::want_hash);
    for (auto message : {"n,,n=joe,r=x", "y,,n=joe,r=x", "p=tls-unique,,n=joe,r=x", "p=tls-server-end-point,,n=joe,r=x"}) {
        Scram plus(sha1_plus, given, "nonce");
        CHECK(say(plus, message).kind == Move::refused);
    }
    auto finish = [&](const std::string& binding) {
        Scram plus(sha1_plus, given, "nonce");
        CHECK(say(plus, "p=tls-exporter,,n=joe,r=x").kind == Move::want_hash);
        auto keys = passwords::ScramKeys::derive("pencil", "salt", 4096, "SHA1");
        Move move = plus.with_hash(keys.text());
        std::string unproved = "c=" + base::to_base64("p=tls-exporter,," + binding) + ",r=xnonce";
        std::string text = "n=joe,r=x," + move.text + "," + unproved;
        // SaltedPassword is Hi("pencil", "salt", 4096) = PBKDF2's one block; the client key comes from it.
        unsigned char salted[20];
        PKCS5_PBKDF2_HMAC("pencil", 6, reinterpret_cast<const unsigned char*>("salt"), 4, 4096, EVP_sha1(), 20, salted);
        std::string client_key = passwords::hmac(std::string(reinterpret_cast<char*>(salted), 20), "Client Key", "SHA1");
        std::string proof = passwords::exclusive_or(client_key, passwords::hmac(keys.stored_key, text, "SHA1"));
        return say(plus, unproved + ",p=" + base::to_base64(proof)).kind;
    };
    CHECK(finish(given.tls_exporter) == Move::proven);
    CHECK(finish(std::string(32, 'f')) == Move::refused);
    CHECK(finish("") == Move::refused);
}

TEST_CASE("an unknown user is asked like a known one, with the same salt each time", "[auth]")
{
    Circumstances given;
    given.secret = "secret";
    auto challenge = [&](const std::string& name) {
        Scram scram(sha256, given, "nonce");
        say(scram, "n,,n=" + name + ",r=x");
        Move move = scram.with_hash(std::nullopt);
        CHECK(move.kind == Move::challenge);
        CHECK(say(scram, "c=biws,r=xnonce,p=" + base::to_base64(std::string(32, 'p'))).kind == Move::refused);
        return move.text;
    };
    CHECK(challenge("nobody") == challenge("nobody"));
    CHECK(challenge("nobody") != challenge("noone"));
}

TEST_CASE("CRAM-MD5 asks, and believes the right digest alone", "[auth]")
{
    auto mechanism = find_mechanism("cram-md5")->make({});
    std::string challenge = mechanism->next(std::nullopt).text;
    CHECK(challenge.starts_with("<"));
    auto hash = passwords::hash_for("{PLAIN}secret", "CRAM-MD5");
    auto key = passwords::hmac("secret", challenge, "MD5");
    Move move = say(*mechanism, "joe user " + base::to_hex(key));
    CHECK(move.kind == Move::want_hash);
    CHECK(move.user == "joe user");
    CHECK(mechanism->with_hash(hash).kind == Move::proven);
    CHECK(mechanism->with_hash(passwords::hash_for("{PLAIN}Secret", "CRAM-MD5")).kind == Move::refused);
    CHECK(mechanism->with_hash(std::nullopt).kind == Move::refused);
    for (auto text : {"", "joe", " 00", "joe 00"}) CHECK(say(*mechanism, text).kind == Move::refused);
    auto first = find_mechanism("cram-md5")->make({});
    CHECK(say(*first, "joe 00000000000000000000000000000000").kind == Move::challenge);
}

TEST_CASE("EXTERNAL believes the certificate", "[auth]")
{
    CHECK(external("joe")->next(std::nullopt).kind == Move::challenge);
    CHECK(say(*external("joe"), "").user == "joe");
    CHECK(say(*external("joe"), "joe").kind == Move::proven);
    CHECK(say(*external("joe"), "root").kind == Move::refused);
    CHECK(say(*external(""), "").kind == Move::refused);
}

TEST_CASE("OAUTHBEARER and XOAUTH2 carry a token, and a refusal says why", "[auth]")
{
    struct Case {
        const char* mechanism;
        std::string_view message;
        const char* user; // null: refused
    };
    const Case cases[] = {
        // RFC 7628 4.1
        {"OAUTHBEARER", "n,a=user@example.com,\1host=server.example.com\1port=143\1auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\1\1",
         "user@example.com"},
        {"OAUTHBEARER", "n,,\1auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\1\1", ""},
        {"OAUTHBEARER", "n,,\1auth=Basic x\1\1", nullptr},
        {"OAUTHBEARER", "p=x,,\1auth=Bearer x\1\1", nullptr},
        {"OAUTHBEARER", "n,joe,\1auth=Bearer x\1\1", nullptr},
        {"OAUTHBEARER", "n,,\1host=x\1\1", nullptr},
        {"OAUTHBEARER", "", nullptr},
        {"XOAUTH2", "user=user@example.com\1auth=bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\1\1", "user@example.com"},
        {"XOAUTH2", "user=\1auth=Bearer x\1\1", nullptr},
        {"XOAUTH2", "auth=Bearer x\1\1", nullptr},
        {"XOAUTH2", "user=joe\1\1", nullptr},
    };
    OauthRules rules;
    rules.scope = {"mail"};
    rules.openid_configuration_url = "https://example.org/.well-known/openid-configuration";
    Circumstances given;
    given.oauth = &rules;
    for (const auto& c : cases) {
        CAPTURE(std::string(c.message));
        auto mechanism = find_mechanism(c.mechanism)->make(given);
        Move move = say(*mechanism, c.message);
        CHECK((move.kind == Move::check_token) == (c.user != nullptr));
        if (!c.user) continue;
        CHECK(move.password.view() == "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==");
        std::string name = *c.user ? c.user : "joe";
        SECTION("good") { CHECK(mechanism->with_token({TokenVerdict::good, name, ""}).user == name); }
        SECTION("another's token")
        {
            Move error = mechanism->with_token({*c.user ? TokenVerdict::good : TokenVerdict::invalid, "eve", "no"});
            CHECK(error.kind == Move::challenge);
            auto object = parse_json_object(error.text);
            REQUIRE(object);
            CHECK(object->at("status").value == (std::string_view(c.mechanism) == "XOAUTH2" ? "401" : "invalid_token"));
            CHECK(object->at("scope").value == "mail");
            CHECK(say(*mechanism, "\1").kind == Move::refused);
        }
    }
}

TEST_CASE("JSON objects, well-formed and not", "[auth]")
{
    auto object = parse_json_object(R"( {"a":"x\u00e9\ud83d\ude00\n","n":-1.5e3,"l":["a",1,"b",["c"]],"o":{"p":{}},"t":true,"z":null} )");
    REQUIRE(object);
    CHECK(object->at("a").value == "xé😀\n");
    CHECK(object->at("n").value == "-1.5e3");
    CHECK(object->at("l").values == std::vector<std::string>{"a", "b"});
    CHECK(object->at("o").kind == JsonMember::other);
    for (auto text : {"", "{", "}", "[]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\":1}x", "{\"a\":1,\"a\":2}", "{\"a\":\"\\x\"}", "{\"a\":\"\\ud800\"}",
                      "{\"a\":\"\\ud800\\u0041\"}", "{\"a\":\"\n\"}", "{\"a\":\"\xff\"}", "{\"a\":nope}", "{a:1}"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_json_object(text));
    }
    CHECK_FALSE(parse_json_object("{\"a\":" + std::string(100000, '[') + "}"));
}
