// header: fields over CRLF and LF messages, broken ones too, and folding.
#include "catch.h"

#include "mail/header.h"

using mail::BadLine;
using mail::Fields;

namespace {

std::string names(std::string_view message, BadLine bad = BadLine::is_skipped)
{
    std::string out;
    for (const mail::Field& field : Fields(message, bad)) out.append(field.name).append(",");
    return out;
}

} // namespace

TEST_CASE("fields of a message", "[mail]")
{
    for (std::string end : {"\r\n", "\n"}) {
        const std::string message = "From: a@b" + end + "Subject: one" + end + " two" + end + "\tthree" + end +
                                    "X :  y " + end + end + "To: body" + end;
        CHECK(names(message) == "From,Subject,X,");
        CHECK(mail::field_value(message, "subject") == "one two\tthree");
        CHECK(mail::find_field(message, "Subject")->value == " one" + end + " two" + end + "\tthree");
        CHECK(mail::find_field(message, "Subject")->whole == "Subject: one" + end + " two" + end + "\tthree" + end);
        CHECK(mail::field_value(message, "x") == "y");
        CHECK_FALSE(mail::find_field(message, "To"));
        const auto place = mail::header_end(message);
        CHECK(place.has_empty_line);
        CHECK(message.substr(place.body) == "To: body" + end);
        CHECK(message.substr(place.fields_end, place.body - place.fields_end) == end);
    }
}

TEST_CASE("where a header ends", "[mail]")
{
    struct Case {
        std::string_view message, skipping, ending;
        size_t body_skipping, body_ending;
    };
    const Case cases[] = {
        {"", "", "", 0, 0},
        {"\r\nbody", "", "", 2, 2},
        {"A: b", "A,", "A,", 4, 4},
        {"A: b\n", "A,", "A,", 5, 5},
        {"A: b\njunk\nB: c\n\nx", "A,B,", "A,", 16, 5},
        {" fold first\nA: b\n\nx", "A,", "", 18, 0},
        {"A: b\n \n\nx", "A,", "A,", 8, 8},
        {": no name\nA: b\n\n", "A,", "", 16, 0},
        {"A b: c\n\n", "", "", 8, 0},
        {"\xea\xb0\x80: c\n\n", "", "", 8, 0},
    };
    for (const Case& each : cases) {
        CAPTURE(each.message);
        CHECK(names(each.message) == each.skipping);
        CHECK(names(each.message, BadLine::ends_header) == each.ending);
        CHECK(mail::header_end(each.message).body == each.body_skipping);
        CHECK(mail::header_end(each.message, BadLine::ends_header).body == each.body_ending);
    }
}

TEST_CASE("repeated fields", "[mail]") { CHECK(mail::find_fields("A: 1\nB: 2\na: 3\n\n", "A").size() == 2); }

TEST_CASE("field names", "[mail]")
{
    CHECK(mail::field_name_length("Subject: x") == 7);
    CHECK(mail::field_name_length("Subject \t: x") == 7);
    CHECK(mail::field_name_length("Subject") == 0);
    CHECK(mail::field_name_length(":") == 0);
    CHECK(mail::field_name_length("") == 0);
    CHECK(mail::field_name_length("From someone Mon Jan 1 00:00") == 0);
    CHECK(mail::field_name_length("a\x01:") == 0);
}

TEST_CASE("folding", "[mail]")
{
    CHECK(mail::fold_field("Subject", "short") == "Subject: short\r\n");
    CHECK(mail::fold_field("X", "aaaa bbbb cccc", 10) == "X: aaaa\r\n bbbb cccc\r\n");
    CHECK(mail::fold_field("X", "aaaaaaaaaaaaaaaaaaaa", 10) == "X: aaaaaaaaaaaaaaaaaaaa\r\n");
    CHECK(mail::fold_field("X", "a\r\nBcc: evil@x") == "X: aBcc: evil@x\r\n");
    CHECK(mail::fold_field("X", "") == "X:\r\n");
    std::string value;
    for (int i = 0; i < 100; ++i) value += "word" + std::to_string(i) + (i % 3 ? " " : "  ");
    value += "end";
    const std::string folded = mail::fold_field("References", value);
    CHECK(mail::unfold(std::string_view(folded).substr(11)) == value);
    for (size_t at = 0; at < folded.size();) {
        const size_t end = folded.find("\r\n", at);
        CHECK(end - at <= 78);
        at = end + 2;
    }
}

TEST_CASE("phrases and subjects", "[mail]")
{
    CHECK(mail::write_phrase("John Doe") == "John Doe");
    CHECK(mail::write_phrase("Doe, John") == "\"Doe, John\"");
    CHECK(mail::write_phrase("a \"b\" \\") == "\"a \\\"b\\\" \\\\\"");
    CHECK(mail::write_phrase("") == "\"\"");
    CHECK(mail::write_phrase("\xea\xb0\x80") == "=?utf-8?B?6rCA?=");
    CHECK(mail::write_phrase("a\r\nBcc: x").find('\n') == std::string::npos);
    CHECK(mail::write_unstructured("plain text  here") == "plain text  here");
    CHECK(mail::write_unstructured("Re: \xea\xb0\x80 ok") == "Re: =?utf-8?B?6rCA?= ok");
    CHECK(mail::write_unstructured("") == "");
    CHECK(mail::write_unstructured("a\nb").find('\n') == std::string::npos);
    CHECK(mail::write_unstructured("=?utf-8?Q?x?=").substr(0, 8) == "=?utf-8?");
}
