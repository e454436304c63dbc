// protocols_test: Postfix's grammar of versions, grades and options.
#include "catch.h"
#include "tls/ciphers.h"
#include "tls/error.h"
#include "tls/protocols.h"

#include <openssl/ssl.h>

using tls::parse_protocols;

TEST_CASE("protocols are read in Postfix's grammar", "[tls]")
{
    struct Case {
        const char* text;
        int lowest, highest;
        unsigned long without;
    };
    constexpr unsigned long all_but_12_13 = SSL_OP_NO_SSLv3 | SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1;
    const Case cases[] = {
        {"", 0, 0, 0},
        {">=TLSv1", TLS1_VERSION, 0, 0},
        {">=TLSv1.2", TLS1_2_VERSION, 0, 0},
        {">=tlsv1.2, <=TLSv1.3", TLS1_2_VERSION, TLS1_3_VERSION, 0},
        {"!SSLv2, !SSLv3", 0, 0, SSL_OP_NO_SSLv3},
        {"!SSLv2,!SSLv3,!TLSv1,!TLSv1.1", 0, 0, all_but_12_13},
        {"TLSv1.2, TLSv1.3", 0, 0, all_but_12_13},
        {"TLSv1.3:TLSv1.2", 0, 0, all_but_12_13},
        {">=SSLv2", 0, 0, 0},
        {">=TLSv1 !TLSv1.1", TLS1_VERSION, 0, SSL_OP_NO_TLSv1_1},
    };
    for (const auto& c : cases) {
        CAPTURE(c.text);
        auto found = parse_protocols(c.text);
        CHECK(found.lowest == c.lowest);
        CHECK(found.highest == c.highest);
        CHECK(found.without == c.without);
    }
    for (auto text : {"TLSv9", ">TLSv1.2", ">=", "!", "TLS1.2", ">=TLSv1.3 <=TLSv1.2", "SSLv2",
                      "!SSLv3 !TLSv1 !TLSv1.1 !TLSv1.2 !TLSv1.3"}) {
        CAPTURE(text);
        CHECK_THROWS_AS(parse_protocols(text), tls::Failed);
    }
}

TEST_CASE("a grade and exclusions become a cipher list", "[tls]")
{
    tls::CipherGrades grades;
    grades.high = "H";
    grades.medium = "M";
    CHECK(tls::cipher_list("high", {}, grades) == "H");
    CHECK(tls::cipher_list("MEDIUM", {"aNULL, RC4", "MD5+RC4"}, grades) == "M:!aNULL:!RC4:!MD5+RC4");
    CHECK(tls::cipher_list("export", {}, grades) == "M");
    CHECK_THROWS_AS(tls::cipher_list("best", {}, grades), tls::Failed);
    CHECK_THROWS_AS(tls::cipher_list("high", {"!RC4"}, grades), tls::Failed);
    CHECK_THROWS_AS(tls::cipher_list("high", {"@SECLEVEL=0"}, grades), tls::Failed);
}

TEST_CASE("tls_ssl_options are names or hexadecimal bits", "[tls]")
{
    CHECK(tls::ssl_options({}) == 0);
    CHECK(tls::ssl_options({"no_renegotiation", "NO_COMPRESSION"}) ==
          (SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION));
    CHECK(tls::ssl_options({"0x40"}) == 0x40);
    CHECK_THROWS_AS(tls::ssl_options({"NO_SUCH"}), tls::Failed);
    CHECK_THROWS_AS(tls::ssl_options({"0xzz"}), tls::Failed);
}
