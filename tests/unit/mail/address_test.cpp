// address: the RFC's examples, what the world writes instead, and what must not be believed.
#include "catch.h"

#include "mail/address.h"

using mail::Address;
using mail::mailboxes;
using mail::parse_addresses;

namespace {

// One line for a list: name|route|local|domain; groups as [name and ].
std::string show(std::string_view value)
{
    std::string out;
    for (const Address& each : parse_addresses(value)) {
        if (!out.empty()) out += " ";
        if (each.kind == Address::Kind::group_begin)
            out += "[" + each.name;
        else if (each.kind == Address::Kind::group_end)
            out += "]";
        else
            out += each.name + "|" + each.route + "|" + each.local + "|" + each.domain;
    }
    return out;
}

} // namespace

TEST_CASE("address lists", "[mail]")
{
    struct Case {
        std::string_view value, expected;
    };
    const Case cases[] = {
        // RFC 5322 A.1.1, A.1.2, A.1.3
        {"John Doe <jdoe@machine.example>", "John Doe||jdoe|machine.example"},
        {"\"Joe Q. Public\" <john.q.public@example.com>", "Joe Q. Public||john.q.public|example.com"},
        {"Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>",
         "Mary Smith||mary|x.test ||jdoe|example.org Who?||one|y.test"},
        {"<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>",
         "||boss|nil.test Giant; \"Big\" Box||sysservices|example.net"},
        {"A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;",
         "[A Group Ed Jones||c|a.test ||joe|where.test John||jdoe|one.test ]"},
        {"Undisclosed recipients:;", "[Undisclosed recipients ]"},
        {"undisclosed-recipients: ;", "[undisclosed-recipients ]"},
        // RFC 5322 A.5, A.6
        {"Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>", "Pete||pete|silly.test"},
        {"A Group(Some people)\r\n     :Chris Jones <c@(Chris's host.)public.example>,\r\n         "
         "joe@example.org,\r\n  John <jdoe@one.test> (my "
         "dear friend); (the end of the group)",
         "[A Group Chris Jones||c|public.example ||joe|example.org John||jdoe|one.test ]"},
        {"(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;", "[Hidden recipients ]"},
        {"Joe Q. Public <john.q.public@example.com>", "Joe Q. Public||john.q.public|example.com"},
        {"Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example",
         "Mary Smith|@node.test|mary|example.net ||jdoe|test.example"},
        {"<@a.test,@b.test:c@d.test>", "|@a.test,@b.test|c|d.test"},
        // As the world has it
        {"user@example.com (Full Name)", "Full Name||user|example.com"},
        {"user@example.com <user@example.com>", "user@example.com||user|example.com"},
        {"<a@b> <c@d>", "||a|b ||c|d"},
        {"a@b c@d", "||a|b ||c|d"},
        {"a@b; c@d", "||a|b ||c|d"},
        {"a@b,,,;c@d,", "||a|b ||c|d"},
        {"root", "||root|"},
        {"root, postmaster", "||root| ||postmaster|"},
        {"John Doe@example.com", "||John Doe|example.com"},
        {"\"john doe\"@example.com", "||john doe|example.com"},
        {"\"a@b\"@example.com", "||a@b|example.com"},
        {"a@b@example.com", "||a@b|example.com"},
        {"a . b @ example . com", "||a.b|example.com"},
        {"user@[192.0.2.1]", "||user|[192.0.2.1]"},
        {"user@example.com and more words", "||user|example.com"},
        {"=?utf-8?B?6rCA?= <a@b>", "=?utf-8?B?6rCA?=||a|b"},
        {"\xea\xb0\x80\xeb\x82\x98 <\xea\xb0\x80@\xed\x95\x9c\xea\xb5\xad.kr>",
         "\xea\xb0\x80\xeb\x82\x98||\xea\xb0\x80|\xed\x95\x9c\xea\xb5\xad.kr"},
        {"MAILER-DAEMON <>", "MAILER-DAEMON|||"},
        {"a [] \"\" b", "||a []  b|"},
        {"a@[]", "||a|[]"},
        {"<>", ""},
        {"", ""},
        {" , ; ", ""},
        {"\"unterminated <a@b>, c@d", "||unterminated <a@b>, c@d|"},
        {"(unterminated <a@b>", ""},
        {"a <b@c", "a||b|c"},
        {"a: b@c, d@e", "[a ||b|c ||d|e ]"},
        {"a: b@c; d@e", "[a ||b|c ] ||d|e"},
        {"a: b: c@d;", "[a ] [b ||c|d ]"},
        {"g: A <a@b>;, c@d", "[g A||a|b ] ||c|d"},
    };
    for (const Case& each : cases) {
        CAPTURE(each.value);
        CHECK(show(each.value) == each.expected);
    }
}

TEST_CASE("mailboxes for sendmail -t", "[mail]")
{
    CHECK(mailboxes("A Group: x@a, \"j d\"@b;, <>, c, (d@e) f@g") ==
          std::vector<std::string>{"x@a", "j d@b", "c", "f@g"});
    CHECK(mailboxes("undisclosed-recipients:;").empty());
}

TEST_CASE("hostile lists cost linear time and keep to the limit", "[mail]")
{
    for (std::string_view piece : {"a ", "a@b ", "<", ">", "\"", "(", "(((a", ",", ";:", "@", "\\", "a@b c ", "<a@b>x ",
                                   "[", "a:", "<@a,", "a@b\"\"x@"}) {
        std::string value = "a@b ";
        while (value.size() < 300000) value += piece;
        CHECK(parse_addresses(value, 50).size() <= 50);
        CHECK(parse_addresses(value).size() <= 10000);
    }
}

TEST_CASE("quoting of local parts", "[mail]")
{
    struct Case {
        std::string_view internal, external;
    };
    const Case cases[] = {
        {"user@example.com", "user@example.com"},
        {"john doe@example.com", "\"john doe\"@example.com"},
        {"a\"b@c", "\"a\\\"b\"@c"},
        {"a\\b@c", "\"a\\\\b\"@c"},
        {"a@b@c", "\"a@b\"@c"},
        {".a@b", "\".a\"@b"},
        {"a..b@c", "\"a..b\"@c"},
        {"\xea\xb0\x80@c", "\xea\xb0\x80@c"},
        {"root", "root"},
        {"", ""},
    };
    for (const Case& each : cases) {
        CAPTURE(each.internal);
        CHECK(mail::to_external(each.internal) == each.external);
        CHECK(mail::to_internal(each.external) == each.internal);
    }
    CHECK(mail::split_external("\"a@b\"@c").domain == "c");
    CHECK(mail::split_address("a@b@c").local == "a@b");
    CHECK_FALSE(mail::split_address("root").has_domain);
}

TEST_CASE("writing addresses", "[mail]")
{
    CHECK(mail::write_address({Address::Kind::mailbox, "John Doe", "", "jd", "x.org"}) == "John Doe <jd@x.org>");
    CHECK(mail::write_address({Address::Kind::mailbox, "Doe, John", "", "j d", "x.org"}) ==
          "\"Doe, John\" <\"j d\"@x.org>");
    CHECK(mail::write_address({Address::Kind::mailbox, "", "", "jd", "x.org"}) == "jd@x.org");
    CHECK(mail::write_address({Address::Kind::mailbox, "\xea\xb0\x80", "", "a", "b"}) == "=?utf-8?B?6rCA?= <a@b>");
    CHECK(mail::write_address({Address::Kind::mailbox, "\xea\xb0\x80", "", "a", "b"}, true) == "\xea\xb0\x80 <a@b>");
}

TEST_CASE("address extensions", "[mail]")
{
    const auto split = [](std::string_view local, std::string_view delimiters) {
        const auto found = mail::split_extension(local, delimiters);
        return std::string(found.user) + "|" + std::string(found.extension);
    };
    CHECK(split("user+list", "+") == "user|list");
    CHECK(split("user+a+b", "+") == "user|a+b");
    CHECK(split("user-a+b", "+-") == "user|a+b");
    CHECK(split("user", "+") == "user|");
    CHECK(split("+user", "+") == "+user|");
    CHECK(split("user+", "+") == "user|");
    CHECK(split("user+x", "") == "user+x|");
    CHECK(split("MAILER-DAEMON", "-") == "MAILER-DAEMON|");
    CHECK(split("double-bounce", "-") == "double-bounce|");
    CHECK(split("owner-list", "-") == "owner-list|");
    CHECK(split("list-request", "-") == "list-request|");
    CHECK(split("owner-list+x", "+") == "owner-list|x");
}

TEST_CASE("domains", "[mail]")
{
    for (std::string_view good : {"example.com", "localhost", "a.b.c", "x-y.example", "_dmarc.example.com",
                                  "xn--3e0b707e", "1.example", "a1"}) {
        CAPTURE(good);
        CHECK(mail::valid_domain(good));
    }
    for (std::string bad :
         {std::string(), std::string("."), std::string("a..b"), std::string("-a.com"), std::string("a-.com"),
          std::string("1.2.3.4"), std::string("a b"), std::string("a/b"), std::string(64, 'a'),
          std::string("example.com."), std::string("\xea\xb0\x80.kr"), std::string("a\0b", 3)}) {
        CAPTURE(bad);
        CHECK_FALSE(mail::valid_domain(bad));
    }
    CHECK(mail::valid_domain("\xea\xb0\x80.kr", true));
    CHECK_FALSE(mail::valid_domain("\xff.kr", true));
    CHECK(mail::valid_address_literal("[192.0.2.1]"));
    CHECK(mail::valid_address_literal("[IPv6:::1]"));
    for (std::string_view bad :
         {"[]", "[192.0.2]", "[::1]", "[IPv6:192.0.2.1]", "192.0.2.1", "[192.0.2.1", "[tag:x]"}) {
        CAPTURE(bad);
        CHECK_FALSE(mail::valid_address_literal(bad));
    }
}

TEST_CASE("international domains", "[mail]")
{
    CHECK(mail::to_ascii_domain("\xed\x95\x9c\xea\xb5\xad.\xed\x95\x9c\xea\xb5\xad") == "xn--3e0b707e.xn--3e0b707e");
    CHECK(mail::to_ascii_domain("B\xc3\xbc"
                                "cher.example") == "xn--bcher-kva.example");
    CHECK(mail::to_ascii_domain("Example.COM") == "example.com");
    CHECK_FALSE(mail::to_ascii_domain("\xff.kr"));
    CHECK(mail::to_unicode_domain("xn--3e0b707e.kr") == "\xed\x95\x9c\xea\xb5\xad.kr");
    CHECK(mail::to_unicode_domain("example.com") == "example.com");
    CHECK(mail::fold_domain("User@EXAMPLE.Com") == "User@example.com");
    CHECK(mail::fold_domain("Root") == "Root");
    CHECK(mail::fold_case("\xc3\x9c"
                          "BER@X") == "\xc3\xbc"
                                      "ber@x");
}
