// The grammar of TLS policies, and what main.cf adds.
#include "catch.h"
#include "mail_server.h"

using namespace testing;
using namespace smtp_client;

namespace {

TlsPolicy policy_for(const std::string& destination, const std::string& entries, const TlsSettings& settings = {})
{
    auto tables = tables_of("smtp_tls_policy_maps = inline:{" + entries + "}");
    return tls_policy(settings, tables->tls_policy, destination);
}

} // namespace

TEST_CASE("the destination's policy comes before main.cf's level", "[smtp-client]")
{
    struct Case {
        const char* destination;
        tls::Level level;
    };
    const char* entries = "{example.test = encrypt}, {.example.test = none}, {[mail.example.test]:587 = secure match=x.test}, {other.test = may}";
    const Case cases[] = {
        {"example.test", tls::Level::encrypt},  {"a.example.test", tls::Level::none},           {"b.a.example.test", tls::Level::none},
        {"other.test", tls::Level::may},        {"[mail.example.test]:587", tls::Level::secure}, {"[mail.example.test]", tls::Level::verify},
        {"unknown.test", tls::Level::verify},
    };
    TlsSettings settings;
    settings.level = tls::Level::verify;
    for (const auto& each : cases) {
        CAPTURE(each.destination);
        auto policy = policy_for(each.destination, entries, settings);
        CHECK(policy.level == each.level);
        CHECK_FALSE(policy.problem);
    }
}

TEST_CASE("attributes stand in place of main.cf's", "[smtp-client]")
{
    TlsSettings settings;
    settings.exclude = {"RC4"};
    settings.mandatory_exclude = {"MD5"};
    settings.mandatory_protocols = ">=TLSv1.2";
    settings.secure_match = {"nexthop", "dot-nexthop"};
    auto plain = policy_for("a.test", "{a.test = secure}", settings);
    CHECK(plain.match == std::vector<std::string>{"nexthop", "dot-nexthop"});
    CHECK(plain.protocols == ">=TLSv1.2");
    CHECK(plain.ciphers == "medium");
    CHECK(plain.exclude == std::vector<std::string>{"RC4", "MD5", "eNULL", "aNULL"});
    auto full = policy_for("a.test", "{a.test = secure match=b.test:.c.test protocols=TLSv1.2:TLSv1.3 ciphers=high exclude=AES servername=hostname "
                                     "tafile=/x.pem tafile=/y.pem connection_reuse=yes}", settings);
    CHECK(full.match == std::vector<std::string>{"b.test", ".c.test"});
    CHECK(full.protocols == "TLSv1.2 TLSv1.3");
    CHECK(full.ciphers == "high");
    CHECK(full.exclude == std::vector<std::string>{"AES", "eNULL", "aNULL"});
    CHECK(full.servername == "hostname");
    CHECK(full.trust_anchors == std::vector<std::string>{"/x.pem", "/y.pem"});
    CHECK(full.reuse);
    CHECK_FALSE(full.problem);
    auto print = policy_for("a.test", "{a.test = fingerprint match=AA:BB|CC:DD match=EE}", settings);
    CHECK(print.fingerprints == std::vector<std::string>{"AA:BB", "CC:DD", "EE"});
}

TEST_CASE("a policy that makes no sense holds the mail up", "[smtp-client]")
{
    const char* bad[] = {"strong", "encrypt match=x.test", "may tafile=/x", "secure match=", "encrypt ciphers=high ciphers=low", "encrypt nonsense",
                         "encrypt colour=red", "secure servername=-bad-.", "encrypt connection_reuse=maybe", "fingerprint", "encrypt protocols=TLSv9",
                         "encrypt ciphers=best", "dane-only"};
    for (const char* each : bad) {
        CAPTURE(each);
        auto policy = policy_for("a.test", std::string("{a.test = ") + each + "}");
        REQUIRE(policy.problem);
        CHECK(policy.problem->dsn == "4.7.5");
        CHECK(policy.problem->text == "client TLS configuration problem");
    }
    // Without DNSSEC dane is opportunistic; and with TLS disabled nothing else counts.
    CHECK(policy_for("a.test", "{a.test = dane}").level == tls::Level::may);
    CHECK_FALSE(policy_for("a.test", "{a.test = none match=x.test}").problem);
}

TEST_CASE("a table that cannot be asked holds the mail up", "[smtp-client]")
{
    auto tables = tables_of("smtp_tls_policy_maps = fail:policies");
    CHECK(tls_policy(TlsSettings(), tables->tls_policy, "a.test").problem);
}
