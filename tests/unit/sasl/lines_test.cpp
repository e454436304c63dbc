// lines_test: escapes, responses and tickets, there and back.
#include "catch.h"
#include "sasl/responses.h"
#include "sasl/secret.h"
#include "sasl/tab_fields.h"
#include "sasl/ticket.h"

using namespace sasl;

TEST_CASE("fields between tabs survive their escapes", "[sasl]")
{
    for (const std::string& text :
         {std::string(""), std::string("plain"), std::string("a\tb\nc\rd\001e"), std::string("nul\0!", 5)}) {
        CAPTURE(text);
        std::string escaped = tab_escape(text);
        CHECK(escaped.find_first_of("\t\n\r") == std::string::npos);
        CHECK(tab_unescape(escaped) == text);
    }
    CHECK(tab_escape("a\tb") == "a\001tb");
    CHECK_FALSE(tab_unescape("cut\001"));
    CHECK_FALSE(tab_unescape("\001x"));

    auto fields = tab_fields("OK\t7\tuser=a\001tb\ttemp\t");
    CHECK(fields.size() == 5);
    CHECK(tab_value(fields, 2, "user") == "a\tb");
    CHECK_FALSE(tab_value(fields, 2, "temp"));
    CHECK(tab_flag(fields, 2, "temp"));
    CHECK_FALSE(tab_flag(fields, 4, "temp"));
    CHECK(tab_fields("").size() == 1);
}

TEST_CASE("responses are base64, = or *", "[sasl]")
{
    CHECK(decode_initial("=")->empty());
    CHECK(decode_initial("AGEAYg==")->view() == std::string_view("\0a\0b", 4));
    for (auto text : {"", "*", "A", "AGEAYg=", "AGE AYg==", "%%%%"}) {
        CAPTURE(text);
        CHECK_FALSE(decode_initial(text));
    }
    CHECK_FALSE(decode_initial(std::string(longest_response + 4, 'A')));
    CHECK(decode_response("*").kind == Response::cancelled);
    CHECK(decode_response("").kind == Response::data);
    CHECK(decode_response("").bytes.empty());
    CHECK(decode_response("YQ==").bytes.view() == "a");
    CHECK(decode_response("=").kind == Response::malformed);
    CHECK(decode_response("Y").kind == Response::malformed);

    for (auto name : {"PLAIN", "SCRAM-SHA-256", "x_1"}) CHECK(is_mechanism_name(name));
    for (auto name : {"", "PLAIN PLAIN", "A\tB", "ABCDEFGHIJKLMNOPQRSTU"}) CHECK_FALSE(is_mechanism_name(name));
}

TEST_CASE("a ticket survives its text", "[sasl]")
{
    Ticket ticket;
    ticket.auth_pid = 10;
    ticket.client_pid = 4294967295;
    ticket.request = 3;
    ticket.cookie = "00ff11";
    CHECK(ticket.text() == "10:4294967295:3:00ff11");
    CHECK(Ticket::parse(ticket.text()) == ticket);
    for (auto text :
         {"", ":::", "1:2:3:", "1:2:3:xyz", "1:2:3:0", "1:2:4294967296:00", "-1:2:3:00", "1:2:3:00:4", "1:2:3"}) {
        CAPTURE(text);
        CHECK_FALSE(Ticket::parse(text));
    }
    CHECK_FALSE(Ticket::parse("1:2:3:" + std::string(1000, '0')));
}

TEST_CASE("secrets are compared whole and do not stay behind", "[sasl]")
{
    CHECK(same_secret("", ""));
    CHECK(same_secret("abc", "abc"));
    CHECK_FALSE(same_secret("abc", "abd"));
    CHECK_FALSE(same_secret("abc", "abcd"));
    Secret one(std::string("short")), two(std::string(100, 'l'));
    Secret three(std::move(one));
    CHECK(three.view() == "short");
    CHECK(one.empty());
    three = std::move(two);
    CHECK(three.view() == std::string(100, 'l'));
    CHECK(two.empty());
    CHECK(three.copy().view() == three.view());
}
