// client_test: our side of each mechanism, with the examples of their standards.
#include "base/text.h"
#include "catch.h"
#include "sasl/client.h"

using namespace sasl;

namespace {

Credentials credentials(std::string user, std::string password)
{
    Credentials result;
    result.user = std::move(user);
    result.password = Secret(std::move(password));
    result.host = "server.example.com";
    result.port = 587;
    return result;
}

} // namespace

TEST_CASE("the best mechanism that meets the demands is chosen", "[sasl]")
{
    struct Case {
        std::vector<std::string> offered;
        unsigned demands;
        const char* chosen;
    };
    const Case cases[] = {
        {{"PLAIN", "LOGIN"}, no_anonymous, "PLAIN"},
        {{"LOGIN"}, 0, "LOGIN"},
        {{"PLAIN", "LOGIN"}, no_anonymous | no_plaintext, ""},
        {{"PLAIN", "CRAM-MD5"}, no_anonymous | no_plaintext, "CRAM-MD5"},
        {{"PLAIN", "CRAM-MD5"}, no_active, ""},
        {{"PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256", "CRAM-MD5"}, mutual, "SCRAM-SHA-256"},
        {{"XOAUTH2", "PLAIN"}, 0, "PLAIN"},
        {{"XOAUTH2"}, no_anonymous, "XOAUTH2"},
        {{"ANONYMOUS", "GSSAPI", "DIGEST-MD5"}, 0, ""},
        {{"SCRAM-SHA-256"}, no_dictionary, ""},
        {{}, 0, ""},
    };
    for (const auto& each : cases) {
        CAPTURE(each.offered, each.demands);
        CHECK(choose_mechanism(each.offered, each.demands) == each.chosen);
    }
}

TEST_CASE("the words of smtp_sasl_security_options", "[sasl]")
{
    std::string unknown;
    CHECK(parse_demands({"noplaintext", "NoAnonymous"}, unknown) == (no_plaintext | no_anonymous));
    CHECK(parse_demands({}, unknown) == 0u);
    CHECK_FALSE(parse_demands({"noanonymous", "nopain"}, unknown));
    CHECK(unknown == "nopain");
}

TEST_CASE("PLAIN and LOGIN", "[sasl]")
{
    auto plain = make_client("PLAIN", credentials("tim", "tanstaaftanstaaf"));
    CHECK(plain->initial()->view() == std::string_view("\0tim\0tanstaaftanstaaf", 21));
    CHECK(plain->respond("").view() == std::string_view("\0tim\0tanstaaftanstaaf", 21));
    auto login = make_client("login", credentials("tim", "x"));
    CHECK_FALSE(login->initial());
    CHECK(login->respond("Username:").view() == "tim");
    CHECK(login->respond("Password:").view() == "x");
    CHECK_THROWS_AS(login->respond("Shoe size:"), BadChallenge);
}

TEST_CASE("CRAM-MD5 as in RFC 2195 2", "[sasl]")
{
    auto client = make_client("CRAM-MD5", credentials("tim", "tanstaaftanstaaf"));
    CHECK_FALSE(client->initial());
    CHECK(client->respond("<1896.697170952@postoffice.reston.mci.net>").view() == "tim b913a602c7eda7a495b4e6e7334d3890");
    CHECK_THROWS_AS(client->respond("<again@mci.net>"), BadChallenge);
    auto empty = make_client("CRAM-MD5", credentials("tim", "x"));
    CHECK_THROWS_AS(empty->respond(""), BadChallenge);
}

TEST_CASE("bearer tokens, and the answer to the account of an error", "[sasl]")
{
    auto xoauth2 = make_client("XOAUTH2", credentials("a@b.test", "token"));
    CHECK(xoauth2->initial()->view() == "user=a@b.test\1auth=Bearer token\1\1");
    CHECK(xoauth2->respond("{\"status\":\"401\"}").view().empty());
    auto bearer = make_client("OAUTHBEARER", credentials("a,b@c.test", "token"));
    CHECK(bearer->initial()->view() == "n,a=a=2Cb@c.test,\1host=server.example.com\1port=587\1auth=Bearer token\1\1");
    CHECK(bearer->respond("{\"status\":\"invalid_token\"}").view() == "\1");
}

TEST_CASE("SCRAM refuses servers that do not play by the rules", "[sasl]")
{
    auto start = [](std::string& nonce) {
        auto client = make_client("SCRAM-SHA-256", credentials("us,er", "pencil"));
        std::string first(client->initial()->view());
        CHECK(first.find("n,,n=us=2Cer,r=") == 0);
        nonce = first.substr(first.find(",r=") + 3);
        return client;
    };
    std::string nonce;
    const char* bad[] = {"", "x", "r=other,s=QSXCR+Q6sek8bf92,i=4096", "r=NONCE,s=QSXCR+Q6sek8bf92,i=4096", "r=NONCEx,s=***,i=4096",
                         "r=NONCEx,s=QSXCR+Q6sek8bf92,i=0", "r=NONCEx,s=QSXCR+Q6sek8bf92,i=999999999", "r=NONCEx,s=QSXCR+Q6sek8bf92"};
    for (std::string challenge : bad) {
        CAPTURE(challenge);
        auto client = start(nonce);
        CHECK_THROWS_AS(client->respond(base::replace_all(challenge, "NONCE", nonce)), BadChallenge);
    }
    auto client = start(nonce);
    CHECK(client->respond("r=" + nonce + "x,s=QSXCR+Q6sek8bf92,i=64").view().find("c=biws,r=" + nonce + "x,p=") == 0);
    CHECK_FALSE(client->satisfied());
    CHECK_THROWS_AS(client->respond("v=rmF9pqV8S7suAoZWja4dJRkFsKQ="), BadChallenge);
    CHECK_FALSE(client->satisfied());
    auto refused = start(nonce);
    refused->respond("r=" + nonce + "x,s=QSXCR+Q6sek8bf92,i=64");
    CHECK_THROWS_AS(refused->respond("e=invalid-proof"), BadChallenge);
}

TEST_CASE("a mechanism that we do not speak", "[sasl]") { CHECK(make_client("GSSAPI", credentials("a", "b")) == nullptr); }
