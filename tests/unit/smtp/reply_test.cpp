// reply: the wire form, a peer's replies in any chunks, and peers that say nonsense or never stop.
#include "catch.h"

#include "smtp/ehlo.h"
#include "smtp/reply.h"

using smtp::BadReply;
using smtp::Reply;
using smtp::ReplyReader;

namespace {

Reply read(std::string_view text)
{
    ReplyReader reader;
    reader.feed(text);
    REQUIRE(reader.complete());
    return reader.take();
}

} // namespace

TEST_CASE("replies on the wire", "[smtp]")
{
    CHECK(Reply{250, "2.1.0", "Ok"}.wire() == "250 2.1.0 Ok\r\n");
    CHECK(Reply{220, "", "mx ESMTP"}.wire() == "220 mx ESMTP\r\n");
    CHECK(Reply{250, "", "mx\nPIPELINING\nSIZE 10"}.wire() == "250-mx\r\n250-PIPELINING\r\n250 SIZE 10\r\n");
    CHECK(Reply{550, "5.7.1", "one\ntwo"}.wire() == "550-5.7.1 one\r\n550 5.7.1 two\r\n");
    CHECK(Reply{550, "", "a\r\nb\rc\x01"}.wire() == "550-a\r\n550 b?c?\r\n");
    CHECK(Reply{550, "5.7.1", "one\ntwo"}.line() == "550 5.7.1 one two");
    CHECK(Reply{250, "", ""}.wire() == "250 \r\n");
}

TEST_CASE("replies from configuration", "[smtp]")
{
    CHECK(Reply::parse("550 5.1.1 no such user") == Reply{550, "5.1.1", "no such user"});
    CHECK(Reply::parse("450 try later") == Reply{450, "", "try later"});
    CHECK(Reply::parse("550 4.1.1 odd") == Reply{550, "", "4.1.1 odd"});
    CHECK(Reply::parse("550") == Reply{550, "", ""});
    CHECK_FALSE(Reply::parse("55 x"));
    CHECK_FALSE(Reply::parse("650 x"));
    CHECK_FALSE(Reply::parse("5500 x"));
    CHECK_FALSE(Reply::parse(""));
}

TEST_CASE("reading replies", "[smtp]")
{
    CHECK(read("250 2.1.0 Ok\r\n") == Reply{250, "2.1.0", "Ok"});
    CHECK(read("250\r\n") == Reply{250, "", ""});
    CHECK(read("220-a\r\n220-b\r\n220 c\r\n") == Reply{220, "", "a\nb\nc"});
    CHECK(read("550-5.7.1 a\n550 5.7.1 b\n") == Reply{550, "5.7.1", "a\nb"});
    CHECK(read("250-mx\r\n250-SIZE\r\n250\r\n") == Reply{250, "", "mx\nSIZE\n"});

    const std::string_view text = "250-one\r\n250 two\r\n354 go\r\n";
    for (size_t cut = 0; cut <= text.size(); ++cut) {
        ReplyReader reader;
        size_t used = reader.feed(text.substr(0, cut));
        used += reader.feed(text.substr(used, text.size() - used));
        CHECK(used == 18);
        CHECK(reader.take() == Reply{250, "", "one\ntwo"});
        reader.feed(text.substr(used));
        CHECK(reader.take().code == 354);
    }
}

TEST_CASE("peers that do not speak SMTP", "[smtp]")
{
    for (std::string_view text : {"HTTP/1.1 400 Bad Request\r\n", "\r\n", "25\r\n", "250x\r\n", "250-a\r\n251 b\r\n",
                                  "999 x\r\n", "150 x\r\n"}) {
        CAPTURE(text);
        ReplyReader reader;
        CHECK_THROWS_AS(reader.feed(text), BadReply);
    }
    ReplyReader endless_line;
    CHECK_THROWS_AS(endless_line.feed(std::string(5000, '2')), BadReply);
    ReplyReader endless;
    const auto pour = [&] {
        for (int i = 0; i < 100000; ++i) endless.feed("250-x\r\n");
    };
    CHECK_THROWS_AS(pour(), BadReply);
}

TEST_CASE("enhanced status codes", "[smtp]")
{
    CHECK(smtp::enhanced_length("5.1.1 x") == 5);
    CHECK(smtp::enhanced_length("5.7.123") == 7);
    CHECK(smtp::enhanced_length("3.1.1 x") == 0);
    CHECK(smtp::enhanced_length("5.1 x") == 0);
    CHECK(smtp::enhanced_length("5.1.1x") == 0);
    CHECK(smtp::enhanced_length("5.1234.1 x") == 0);
    CHECK(smtp::fit_enhanced("5.1.1", 450) == "4.1.1");
    CHECK(smtp::fit_enhanced("", 250) == "2.0.0");
    CHECK(smtp::fit_enhanced("", 354) == "");
    CHECK(Reply{250, "", "x"}.status() == "2.0.0");
    CHECK(Reply{554, "5.6.0", "x"}.status() == "5.6.0");
}

TEST_CASE("capabilities of a server", "[smtp]")
{
    const auto found = smtp::parse_ehlo(
        read("250-mx.example.com greets you\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n"
             "250-AUTH PLAIN login\r\n250-AUTH=PLAIN CRAM-MD5\r\n250-8bitmime\r\n250-LIMITS RCPTMAX=50 X=1\r\n"
             "250-XFORWARD NAME ADDR\r\n250 SMTPUTF8\r\n"),
        "smtputf8, etrn");
    CHECK(found.extended);
    CHECK(found.host == "mx.example.com");
    CHECK(found.pipelining);
    CHECK(found.eightbitmime);
    CHECK_FALSE(found.smtputf8);
    CHECK_FALSE(found.starttls);
    CHECK(found.size_known);
    CHECK(found.size == 10240000);
    CHECK(found.auth == std::vector<std::string>{"PLAIN", "LOGIN", "CRAM-MD5"});
    CHECK(found.xforward == std::vector<std::string>{"NAME", "ADDR"});
    CHECK(found.rcpt_max == 50u);
    CHECK_FALSE(found.mail_max);
    CHECK(found.offers("size"));
    CHECK_FALSE(found.offers("dsn"));
    // A keyword in the greeting line is no capability.
    CHECK_FALSE(smtp::parse_ehlo(read("250 STARTTLS\r\n")).starttls);
}
