// sasl_test: which mechanisms smtpd_sasl_security_options and smtpd_sasl_mechanism_filter leave.
#include "sasl.h"

#include "catch.h"

using namespace smtpd;

namespace {

sasl::Mechanism mechanism(const std::string& name, bool sasl::Mechanism::*property = nullptr)
{
    sasl::Mechanism made;
    made.name = name;
    if (property) made.*property = true;
    return made;
}

SaslRules rules(const std::string& main_cf) { return SaslRules(config::Config::parse(main_cf, "main.cf")); }

const sasl::Mechanism plain = mechanism("PLAIN", &sasl::Mechanism::plaintext), external = mechanism("EXTERNAL"),
                      cram = mechanism("CRAM-MD5", &sasl::Mechanism::dictionary), anonymous = mechanism("ANONYMOUS", &sasl::Mechanism::anonymous),
                      scram = mechanism("SCRAM-SHA-256", &sasl::Mechanism::mutual_auth), secret = mechanism("X", &sasl::Mechanism::is_private);

} // namespace

TEST_CASE("words of smtpd_sasl_security_options", "[smtpd]")
{
    CHECK(fulfils(plain, "noplaintext") == false);
    CHECK(fulfils(cram, "NoPlainText") == true);
    CHECK(fulfils(cram, "nodictionary") == false);
    CHECK(fulfils(anonymous, "noanonymous") == false);
    CHECK(fulfils(plain, "mutual_auth") == false);
    CHECK(fulfils(scram, "mutual_auth") == true);
    CHECK(fulfils(scram, "forward_secrecy") == false);
    CHECK_FALSE(fulfils(plain, "nosuch"));
    CHECK_FALSE(fulfils(plain, ""));
}

TEST_CASE("the defaults leave all but anonymous, private and EXTERNAL", "[smtpd]")
{
    SaslRules usual = rules("");
    for (const auto& each : {plain, cram, scram}) CHECK(usual.allows(each, false, false));
    for (const auto& each : {anonymous, external, secret}) CHECK_FALSE(usual.allows(each, true, true));
}

TEST_CASE("TLS has options of its own, and -PLUS needs something to bind to", "[smtpd]")
{
    SaslRules strict = rules("smtpd_sasl_security_options = noanonymous noplaintext\nsmtpd_sasl_tls_security_options = noanonymous\n");
    CHECK_FALSE(strict.allows(plain, false, false));
    CHECK(strict.allows(plain, true, false));
    SaslRules inherited = rules("smtpd_sasl_security_options = noanonymous, noplaintext\n");
    CHECK_FALSE(inherited.allows(plain, true, false));
    sasl::Mechanism plus = mechanism("SCRAM-SHA-256-PLUS", &sasl::Mechanism::binds);
    plus.is_private = true;
    CHECK(strict.allows(plus, true, true));
    CHECK_FALSE(strict.allows(plus, true, false));
    CHECK_FALSE(rules("smtpd_sasl_security_options = nosuch\n").allows(scram, false, false));
}

TEST_CASE("the filter is a list of patterns, in any case of letters", "[smtpd]")
{
    CHECK(rules("smtpd_sasl_mechanism_filter = plain, login\n").allows(plain, true, false));
    CHECK_FALSE(rules("smtpd_sasl_mechanism_filter = plain, login\n").allows(cram, true, false));
    CHECK_FALSE(rules("smtpd_sasl_mechanism_filter = !cram-md5, static:rest\n").allows(cram, true, false));
    CHECK(rules("smtpd_sasl_mechanism_filter = static:all\n").allows(external, true, false));
}

TEST_CASE("clients in smtpd_sasl_exceptions_networks are not offered AUTH", "[smtpd]")
{
    SaslRules exempting = rules("smtpd_sasl_exceptions_networks = 192.0.2.0/24\n");
    CHECK(exempting.is_exempt("unknown", "192.0.2.7"));
    CHECK_FALSE(exempting.is_exempt("unknown", "198.51.100.7"));
}
