// schemes_test: stored passwords of every scheme, accepted and refused; those of other programs among them.
#include "passwords/cram_md5.h"
#include "passwords/schemes.h"
#include "passwords/scram_keys.h"

#include "base/text.h"
#include "catch.h"

using namespace passwords;

TEST_CASE("passwords are checked by the scheme they are stored in", "[passwords]")
{
    struct Case {
        const char* password;
        const char* stored;
        Match match;
    };
    const Case cases[] = {
        // Drepper's published vectors of SHA-crypt, and others of crypt(3).
        {"Hello world!", "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc4", Match::no},
        {"Hello world!", "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", Match::yes},
        {"Hello world!",
         "{SHA512-CRYPT}$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/"
         "O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
         Match::yes},
        {"U*U", "{BLF-CRYPT}$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", Match::yes},
        {"U*V", "{BLF-CRYPT}$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", Match::no},
        {"correct horse", "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$zwtVrjrUCmXcyLTs6oxLTQlzifSUkF8RHJ./tK5KU79", Match::yes},
        {"x", "{md5-crypt}$1$abcdefgh$znAnv9M.XU2pRYfmSs46h/", Match::yes},
        {"pw", "{SSHA}K/qCHdTzr1rftXNEV4Ob7XsySBlzYWx", Match::no},
        {"pw", "{SSHA}K/qCHdTzr1rftXNEV4Ob7XsySBlzYWx0", Match::yes},
        {"pq", "{SSHA}K/qCHdTzr1rftXNEV4Ob7XsySBlzYWx0", Match::no},
        {"pw", "{SHA256}MMlS+rEiw/l1nwKm2Vw3WLJGtP7iOZV7LU/uRuJhcMQ=", Match::yes},
        {"pw", "{PLAIN-MD5}8fe4c11451281c094a6578e6ddbf5eed", Match::yes},
        {"pw", "{PLAIN-MD5.hex}8fe4c11451281c094a6578e6ddbf5eed", Match::yes},
        {"pw", "{SHA256.b64}MMlS+rEiw/l1nwKm2Vw3WLJGtP7iOZV7LU/uRuJhcMQ=", Match::yes},
        {"pw", "{PLAIN}pw", Match::yes},
        {"pw", "{plain}pW", Match::no},
        {"", "{PLAIN}", Match::no},
        {"", "", Match::no},
        {"x", "x", Match::no},
        {"", "!", Match::no},
        {"pw", "!$5$saltstring$5B8vYYiY", Match::no},
        {"pw", "*", Match::no},
        {"pw", "{NOSUCH}pw", Match::unusable},
        {"pw", "$z$nonsense", Match::unusable},
        {"pw", "{SHA256}short", Match::unusable},
    };
    for (const auto& c : cases) {
        CAPTURE(c.password, c.stored);
        CHECK(check_password(c.password, c.stored) == c.match);
    }
    CHECK(check_password(std::string_view("pw\0", 3), "{PLAIN}pw") == Match::no);
    CHECK(check_password(std::string(100000, 'a'), "{PLAIN}a") == Match::no);
}

TEST_CASE("hashes that Dovecot made are understood", "[passwords]")
{
    const char* stored[] = {
        "{SSHA512}5IqRCqbXc0kRjT0qiM2dEgCY47JpQO/ZJEaRHX7MJTvSt8/ZmqR6zvB+o8Rsd6K4GMjr7rKxBomBaU3HKMf+D8vd2h8=",
        "{SCRAM-SHA-256}4096,EOPi5BY2qEMyQpWjzaSPmQ==,rWdlziECWxnYUwVqJqC65k7ZNPVsiMh50l0GGa0KUYA=,YLAFEVoo6lGfwYuT6t5wn/E3Ogcb7y5/sD6zbyvwGVw=",
        "{SCRAM-SHA-1}4096,f+fIlMSfv2wb0DuZkyjJgw==,Q9HPMJBWQdigxUT8iQ1xqgQ19vM=,bMx+Y532PVbo/2PmM3GQY49vPaM=",
        "{BLF-CRYPT}$2y$05$Rtr8GiUCj43QUbbXxkQT.eX2bX6vK18gzXOo5OgcefyaEkk0byuYW",
        "{HMAC-MD5}7f47ace0e2af8f6cdeb72c03243a8c87834e19104164d6a42de72d243adb4080",
        "{CRAM-MD5}7f47ace0e2af8f6cdeb72c03243a8c87834e19104164d6a42de72d243adb4080",
        "{SHA512}Gd8Bqrgo+NUINrp1cJcTrtInM1344YZDkYXAbJF6Kn03cat24wfPo7a4nvGmaC1mgd3xGISHDl3hPnk/uVXu6w==",
        "{SHA}0vxRJJChUDZGC1SJQBQ51tpUB/o=",
        "{SHA1}0vxRJJChUDZGC1SJQBQ51tpUB/o=",
        "{DES-CRYPT}3NgoTDpZQEVf6",
        "{CRYPT}$2y$05$GECg4yOH2fFvQvFyaFOV2uzHwtjM5qpcyFmZydMk8ia9Lbr70H5Pi",
        "{SSHA}PQIJzhDdJWSPHg2nmOqwvnMzCUgwl+5W",
        "{MD5-CRYPT}$1$eXGEMf2b$3jyHMccpXXD7v6tzMbXKD/",
        "{PLAIN-MD5}a8f6830bce790a8a67fc2e84e12093ba",
        "{SHA512-CRYPT}$6$KFpCww3bo2k9ggCR$WG5rmkv4yHCayVFn9MrjozAHQHWKvQho./lHY2REAscECt6zrdpX//GZgm50U8Hs89xI4Vds5uwp7r/XJIQth.",
        "{SSHA256}2RzEjRUP8hf9sbbKarCF3EpB79uHUPsW5p+D8lLf06YW87rP",
        "{PBKDF2}$1$jx0hK9YbyxvVNWeb$5000$272dab1a603b76a779aaf7f1751f98021f526c1d",
        "{SHA256}E4CWaPtDY4Zwb2fcsFLtWEoEuhaowCoX1m00ww/O2iE=",
        "{SHA256-CRYPT}$5$TYhJYwaTAH9gYcbu$9nqfotLaRSp6/jry2yOjmnzEVox7UkoRc23W23vZNoD",
        "{SMD5}SU1IELnCrNLDYCdZDej8ei0RP4Y=",
        "{LDAP-MD5}qPaDC855Copn/C6E4SCTug==",
        "{SHA256.HEX}13809668fb436386706f67dcb052ed584a04ba16a8c02a17d66d34c30fceda21",
        "{SSHA.HEX}54022b7dce3177b3b2e217982f2899ce061834700d8a7c46",
        "{PLAIN-MD5.B64}qPaDC855Copn/C6E4SCTug==",
    };
    for (auto text : stored) {
        CAPTURE(text);
        CHECK(check_password("pencil", text) == Match::yes);
        CHECK(check_password("pencil ", text) == Match::no);
        CHECK(check_password("", text) == Match::no);
    }
}

TEST_CASE("what is made is accepted again, and differs each time where there is a salt", "[passwords]")
{
    for (auto name : scheme_names()) {
        CAPTURE(std::string(name));
        auto made = make_password(name, "pass phrase");
        REQUIRE(made);
        CHECK(split_stored(*made).scheme == name);
        CHECK(check_password("pass phrase", *made) == Match::yes);
        CHECK(check_password("pass Phrase", *made) == Match::no);
    }
    for (auto name : {"SSHA", "SHA512-CRYPT", "SCRAM-SHA-256", "PBKDF2"}) CHECK(make_password(name, "x") != make_password(name, "x"));
    CHECK(make_password("SHA256.HEX", "pw") == "{SHA256.HEX}30c952fab122c3f9759f02a6d95c3758b246b4fee239957b2d4fee46e26170c4");
    CHECK(make_password("sha.b64", "pw") == "{SHA.B64}GpHWL3ymc5liWkNopqtdSjuqYHM=");
    for (auto name : {"", "NOSUCH", "SHA.NOSUCH", "ARGON2ID"}) CHECK_FALSE(make_password(name, "pw"));
    CHECK_FALSE(make_password("PLAIN", std::string_view("a\0b", 3)));
    CHECK_FALSE(make_password("PBKDF2", "pw", 100'000'000));
}

TEST_CASE("malformed hashes of the newer schemes are unusable", "[passwords]")
{
    const char* stored[] = {
        "{PBKDF2}$1$salt$5000$", "{PBKDF2}$2$salt$1$00", "{PBKDF2}$1$salt$4294967295$0000000000000000000000000000000000000000",
        "{SCRAM-SHA-1}4096,QSXCR+Q6sek8bf92,x,y", "{SCRAM-SHA-1}0,QSXCR+Q6sek8bf92,6dlGYMOdZcOPutkcNY8U2g7vK9Y=,D+CSWLOshSulAsxiupA+qs2/fTE=",
        "{SCRAM-SHA-256}4096,QSXCR+Q6sek8bf92,6dlGYMOdZcOPutkcNY8U2g7vK9Y=,D+CSWLOshSulAsxiupA+qs2/fTE=",
        "{CRAM-MD5}00", "{CRAM-MD5}nonsense", "{SHA.HEX}xyz", "{SHA.NOSUCH}00",
    };
    for (auto text : stored) {
        CAPTURE(text);
        CHECK(check_password("pencil", text) == Match::unusable);
    }
}

TEST_CASE("a mechanism gets its hash from its own scheme or from a clear password", "[passwords]")
{
    CHECK(hash_for("{SCRAM-SHA-1}4096,a,b,c", "SCRAM-SHA-1") == "4096,a,b,c");
    CHECK(hash_for("{PLAIN}tanstaaftanstaaf", "CRAM-MD5") == CramMd5Key::of_password("tanstaaftanstaaf").text());
    CHECK(ScramKeys::parse(hash_for("{PLAIN}pencil", "SCRAM-SHA-256").value(), "SHA256"));
    CHECK_FALSE(hash_for("{SSHA}K/qCHdTzr1rftXNEV4Ob7XsySBlzYWx0", "SCRAM-SHA-1"));
    CHECK_FALSE(hash_for("{SCRAM-SHA-1}4096,a,b,c", "SCRAM-SHA-256"));
    CHECK_FALSE(hash_for("", "CRAM-MD5"));
}

TEST_CASE("CRAM-MD5 answers as in RFC 2195, from a stored state alone", "[passwords]")
{
    const char* challenge = "<1896.697170952@postoffice.reston.mci.net>";
    auto key = CramMd5Key::of_password("tanstaaftanstaaf");
    CHECK(key.answer(challenge) == "b913a602c7eda7a495b4e6e7334d3890");
    auto parsed = CramMd5Key::parse(key.text());
    REQUIRE(parsed);
    CHECK(parsed->answer(challenge) == "b913a602c7eda7a495b4e6e7334d3890");
    // RFC 2202 2, test case 6: a key longer than a block.
    CHECK(CramMd5Key::of_password(std::string(80, '\xaa')).answer("Test Using Larger Than Block-Size Key - Hash Key First") ==
          "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd");
}

TEST_CASE("SCRAM's keys prove the exchanges of RFC 5802 and RFC 7677", "[passwords]")
{
    auto keys = ScramKeys::derive("pencil", base::from_base64("QSXCR+Q6sek8bf92").value(), 4096, "SHA1");
    std::string message = "n=user,r=fyko+d2lbbFgONRv9qkxdawL,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096,"
                          "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j";
    CHECK(is_client_proof(keys, base::from_base64("v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=").value(), message, "SHA1"));
    CHECK_FALSE(is_client_proof(keys, base::from_base64("v0X8v3Bz2T0CJGbJQyF0X+HI4Tw=").value(), message, "SHA1"));
    CHECK_FALSE(is_client_proof(keys, "", message, "SHA1"));
    CHECK(base::to_base64(hmac(keys.server_key, message, "SHA1")) == "rmF9pqV8S7suAoZWja4dJRkFsKQ=");
    CHECK(ScramKeys::parse(keys.text(), "SHA1").value().text() == keys.text());
}
