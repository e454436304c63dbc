// command: what clients write as MAIL and RCPT, right and wrong, and what they are told.
#include "catch.h"

#include "smtp/command.h"

using smtp::Grammar;
using smtp::parse_mail;
using smtp::parse_rcpt;
using smtp::Syntax;

namespace {

template <class Parse> std::string refusal(Parse parse)
{
    try {
        parse();
    } catch (const Syntax& error) {
        return error.reply().line();
    }
    return "accepted";
}

std::string refused_mail(std::string_view text, const Grammar& grammar = {})
{
    return refusal([&] { parse_mail(text, grammar); });
}
std::string refused_rcpt(std::string_view text, const Grammar& grammar = {})
{
    return refusal([&] { parse_rcpt(text, grammar); });
}

} // namespace

TEST_CASE("a line is a verb and its arguments", "[smtp]")
{
    const auto command = smtp::split_command("mail  FROM:<a@b> \r\n");
    CHECK(command.verb == "MAIL");
    CHECK(command.arguments == "FROM:<a@b>");
    CHECK(smtp::split_command("QUIT\r\n").verb == "QUIT");
    CHECK(smtp::split_command("QUIT").arguments.empty());
    CHECK(smtp::split_command("\r\n").verb.empty());
    CHECK(smtp::split_command("ehlo\tx").arguments == "x");
}

TEST_CASE("addresses in envelopes", "[smtp]")
{
    struct Case {
        std::string_view text, address;
        bool strict; // accepted strictly too
    };
    const Case cases[] = {
        {"TO:<user@example.com>", "user@example.com", true},
        {"to:<user@example.com>", "user@example.com", true},
        {"TO: <user@example.com>", "user@example.com", true},
        {"TO:user@example.com", "user@example.com", false},
        {"TO: user@example.com", "user@example.com", false},
        {"TO:<@a.example,@b.example:user@example.com>", "user@example.com", true},
        {"TO:<\"john doe\"@example.com>", "john doe@example.com", true},
        {"TO:<\"a\\\"b\"@example.com>", "a\"b@example.com", true},
        {"TO:<\"a@b\"@example.com>", "a@b@example.com", true},
        {"TO:<\"a> b\"@example.com>", "a> b@example.com", true},
        {"TO:<John Doe <user@example.com>>", "user@example.com", false},
        {"TO:<user@example.com (comment)>", "user@example.com", false},
        {"TO:<user@[192.0.2.1]>", "user@[192.0.2.1]", true},
        {"TO:<user@[IPv6:2001:db8::1]>", "user@[IPv6:2001:db8::1]", true},
        {"TO:<postmaster>", "postmaster", true},
        {"TO:<user@example.com.>", "user@example.com", true},
        {"TO:<a+b=c@example.com>", "a+b=c@example.com", true},
        {"TO:<a.@example.com>", "a.@example.com", false},
        {"TO:<a..b@example.com>", "a..b@example.com", false},
        {"TO:<a@b@example.com>", "a@b@example.com", false},
        {"TO:<user@under_score.example.com>", "user@under_score.example.com", true},
    };
    for (const Case& each : cases) {
        CAPTURE(each.text);
        REQUIRE(refused_rcpt(each.text) == "accepted");
        CHECK(parse_rcpt(each.text).recipient.address == each.address);
        Grammar strict;
        strict.strict = true;
        CHECK((refused_rcpt(each.text, strict) == "accepted") == each.strict);
    }
}

TEST_CASE("addresses that are none", "[smtp]")
{
    const std::string long_label(64, 'a');
    for (std::string text : {"TO:<>", "TO:<user@example.com", "TO:<\"user@example.com>", "TO:<user@-example.com>",
                             "TO:<user@exa mple.com>", "TO:<user@[1.2.3.400]>", "TO:<user@[IPv6:1.2.3]>",
                             "TO:<user@1.2.3.4>", "TO:<@example.com>", "TO:<user@example..com>", "TO:<a@b,c@d>",
                             "TO:<a@b;c@d>", "TO:<us\x01er@example.com>", "TO:<\xea\xb0\x80@example.com>",
                             "TO:<user@\xea\xb0\x80.com>", "TO:<group: a@b, c@d;>", "TO:\"", "TO:<", "TO:<<<<"}) {
        CAPTURE(text);
        CHECK(refused_rcpt(text) == "501 5.1.3 Bad recipient address syntax");
        if (text != "TO:<>") CHECK(refused_mail("FROM:" + text.substr(3)) == "501 5.1.7 Bad sender address syntax");
    }
    CHECK(refused_rcpt("TO:<a@" + long_label + ".com>") == "501 5.1.3 Bad recipient address syntax");
    CHECK(refused_rcpt("TO:<" + std::string(5000, 'a') + "@b>") == "501 5.1.3 Bad recipient address syntax");
    CHECK(refused_rcpt("TO:<" + std::string(1000, '<')) == "501 5.1.3 Bad recipient address syntax");
    Grammar strict;
    strict.strict = true;
    CHECK(refused_rcpt("TO:<" + std::string(65, 'a') + "@example.com>", strict) ==
          "501 5.1.3 Bad recipient address syntax");
    CHECK(refused_rcpt("TO:<" + std::string(65, 'a') + "@example.com>") == "accepted");
}

TEST_CASE("usage", "[smtp]")
{
    for (std::string_view text : {"", "<a@b>", "FROM", "FROM:", "FROM: ", "TO:<a@b>"}) {
        CAPTURE(text);
        CHECK(refused_mail(text) == "501 5.5.4 Syntax: MAIL FROM:<address>");
    }
    CHECK(refused_rcpt("<a@b>") == "501 5.5.4 Syntax: RCPT TO:<address>");
    CHECK(refusal([] { smtp::parse_helo(" ", "EHLO"); }) == "501 Syntax: EHLO hostname");
    CHECK(smtp::parse_helo("mx.example.com extra", "HELO") == "mx.example.com");
}

TEST_CASE("UTF-8 addresses need SMTPUTF8", "[smtp]")
{
    const auto mail = parse_mail("FROM:<\xea\xb0\x80@\xed\x95\x9c\xea\xb5\xad.kr> SMTPUTF8");
    CHECK(mail.smtputf8);
    CHECK(mail.sender.beyond_ascii());
    CHECK(mail.sender.domain == "\xed\x95\x9c\xea\xb5\xad.kr");
    CHECK(refused_mail("FROM:<\xea\xb0\x80@example.com>") == "501 5.1.7 Bad sender address syntax");
    CHECK(refused_mail("FROM:<\xff@example.com> SMTPUTF8") == "501 5.1.7 Bad sender address syntax");
    Grammar utf8;
    utf8.utf8 = true;
    CHECK(parse_rcpt("TO:<\xea\xb0\x80@example.com>", utf8).recipient.local == "\xea\xb0\x80");
    Grammar off;
    off.smtputf8 = false;
    CHECK(refused_mail("FROM:<a@b> SMTPUTF8", off) == "555 5.5.4 Unsupported option: SMTPUTF8");
}

TEST_CASE("parameters of MAIL", "[smtp]")
{
    const auto mail = parse_mail("FROM:<> SIZE=1000 BODY=8bitmime RET=HDRS ENVID=QQ314159+2B AUTH=e+3Dmc2@example.com");
    CHECK(mail.sender.null());
    CHECK(mail.size == 1000u);
    CHECK(mail.body == smtp::Body::eight_bit);
    CHECK(mail.ret == smtp::Return::headers);
    CHECK(mail.envid == "QQ314159+");
    CHECK(mail.auth == "e=mc2@example.com");
    CHECK(parse_mail("FROM:<a@b> AUTH=<>").auth == "<>");
    CHECK(parse_mail("FROM:<a@b> BODY=BINARYMIME").body == smtp::Body::binary);

    struct Case {
        std::string_view text, reply;
    };
    const Case cases[] = {
        {"FROM:<a@b> SIZE=x", "501 5.5.4 Bad message size syntax"},
        {"FROM:<a@b> SIZE=", "501 5.5.4 Bad message size syntax"},
        {"FROM:<a@b> SIZE=-1", "501 5.5.4 Bad message size syntax"},
        {"FROM:<a@b> SIZE=99999999999999999999999", "552 5.3.4 Message size exceeds file system imposed limit"},
        {"FROM:<a@b> BODY=9BIT", "555 5.5.4 Unsupported option: BODY=9BIT"},
        {"FROM:<a@b> FOO", "555 5.5.4 Unsupported option: FOO"},
        {"FROM:<a@b> SIZE", "555 5.5.4 Unsupported option: SIZE"},
        {"FROM:<a@b> REQUIRETLS", "555 5.5.4 Unsupported option: REQUIRETLS"},
        {"FROM:<a@b> RET=SOME", "501 5.5.4 Bad RET parameter syntax"},
        {"FROM:<a@b> RET=FULL RET=FULL", "501 5.5.4 Bad RET parameter syntax"},
        {"FROM:<a@b> ENVID=+", "501 5.5.4 Bad ENVID parameter syntax"},
        {"FROM:<a@b> ENVID=a+0Ab", "501 5.5.4 Bad ENVID parameter syntax"},
        {"FROM:<a@b> AUTH=a AUTH=b", "503 5.5.4 Error: multiple AUTH= options"},
        {"FROM:<a@b> NOTIFY=NEVER", "555 5.5.4 Unsupported option: NOTIFY=NEVER"},
    };
    for (const Case& each : cases) {
        CAPTURE(each.text);
        CHECK(refused_mail(each.text) == each.reply);
    }
    Grammar plain;
    plain.dsn = plain.size = false;
    CHECK(refused_mail("FROM:<a@b> RET=FULL", plain) == "501 5.7.1 DSN support is disabled");
    CHECK(refused_mail("FROM:<a@b> SIZE=1", plain) == "555 5.5.4 Unsupported option: SIZE=1");
}

TEST_CASE("parameters of RCPT", "[smtp]")
{
    // RFC 3461 10.1
    const auto rcpt = parse_rcpt("TO:<Bob@Example.COM> NOTIFY=SUCCESS,failure ORCPT=rfc822;Bob+2Bx@Example.COM");
    CHECK(rcpt.notify == (smtp::notify_success | smtp::notify_failure));
    CHECK(rcpt.orcpt_type == "rfc822");
    CHECK(rcpt.orcpt == "Bob+x@Example.COM");
    CHECK(parse_rcpt("TO:<a@b> ORCPT=utf-8;\\x{AC00}@example.com").orcpt == "\xea\xb0\x80@example.com");
    for (std::string_view text : {"NEVER,SUCCESS", "", "FOO", "SUCCESS,SUCCESS", "SUCCESS,"}) {
        CAPTURE(text);
        CHECK(refused_rcpt("TO:<a@b> NOTIFY=" + std::string(text)) == "501 5.5.4 Error: Bad NOTIFY parameter syntax");
    }
    for (std::string_view text :
         {"rfc822", ";a@b", "rfc822;", "rfc822;a+zz", "rfc822;a+0A", "utf-8;\\x{D800}", "utf-8;\\x{", "utf-8;\\x{0}"}) {
        CAPTURE(text);
        CHECK(refused_rcpt("TO:<a@b> ORCPT=" + std::string(text)) == "501 5.5.4 Error: Bad ORCPT parameter syntax");
    }
    CHECK(refused_rcpt("TO:<a@b> SIZE=1") == "555 5.5.4 Unsupported option: SIZE=1");
}

TEST_CASE("BDAT", "[smtp]")
{
    CHECK(smtp::parse_bdat("86 LAST").size == 86);
    CHECK(smtp::parse_bdat("86 last").last);
    CHECK_FALSE(smtp::parse_bdat("0").last);
    for (std::string_view text : {"", "x", "-1", "+1", "1 2", "1 LAST x", "99999999999999999999999", "1,LAST"}) {
        CAPTURE(text);
        CHECK(refusal([&] { smtp::parse_bdat(text); }) == "521 5.5.4 Syntax: BDAT count [LAST]");
    }
}

TEST_CASE("what the client writes, the server reads", "[smtp]")
{
    for (std::string_view text : {"FROM:<>", "FROM:<a@b> SIZE=5 BODY=8BITMIME SMTPUTF8 RET=FULL ENVID=a+2Bb AUTH=<>",
                                  "FROM:<\"john doe\"@example.com> BODY=7BIT"}) {
        CAPTURE(text);
        CHECK(smtp::write_mail(parse_mail(text)) == "MAIL " + std::string(text));
    }
    for (std::string_view text :
         {"TO:<a@b>", "TO:<a@b> NOTIFY=NEVER", "TO:<a@b> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;a+2Bb@c",
          "TO:<a@b> ORCPT=utf-8;\\x{20}\\x{5C}\xea\xb0\x80@c"}) {
        CAPTURE(text);
        CHECK(smtp::write_rcpt(parse_rcpt(text)) == "RCPT " + std::string(text));
    }
    smtp::RcptCommand forged;
    forged.recipient = smtp::Path::from_internal("a>\r\nDATA\r\n@b");
    CHECK_THROWS_AS(smtp::write_rcpt(forged), Syntax);
}
