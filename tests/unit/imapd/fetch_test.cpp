// FETCH: its grammar, sections of a nested message byte for byte, structure, and bytes on their way to the wire.
#include "catch.h"

#include "fetch.h"
#include "store/line_ends.h"

using imapd::Arguments;
using imapd::Bad;
using imapd::Extract;
using imapd::FetchItem;

namespace {

// RFC 3501 6.4.5's tree in small, with LF ends as a Maildir has it.
const std::string nested = "From: Anna <anna@example.org>\n"
                           "To: bob@example.com\n"
                           "Subject: nested\n"
                           "MIME-Version: 1.0\n"
                           "Content-Type: multipart/mixed; boundary=outer\n"
                           "\n"
                           "preamble\n"
                           "--outer\n"
                           "Content-Type: text/plain; charset=utf-8\n"
                           "\n"
                           "first part\n"
                           "two lines\n"
                           "--outer\n"
                           "Content-Type: message/rfc822\n"
                           "\n"
                           "From: carol@example.net\n"
                           "Subject: inside\n"
                           "Content-Type: multipart/alternative; boundary=inner\n"
                           "\n"
                           "--inner\n"
                           "\n"
                           "plain\n"
                           "--inner\n"
                           "Content-Type: text/html\n"
                           "X-Odd: yes\n"
                           "\n"
                           "<b>html</b>\n"
                           "--inner--\n"
                           "--outer\n"
                           "Content-Type: application/octet-stream; name=\"a b\"\n"
                           "Content-Transfer-Encoding: base64\n"
                           "Content-Disposition: attachment; filename=x.bin\n"
                           "\n"
                           "AAEC\n"
                           "--outer--\n"
                           "epilogue\n";

std::vector<FetchItem> items(std::string_view text)
{
    Arguments arguments(text);
    auto result = imapd::parse_fetch_items(arguments);
    arguments.end();
    return result;
}

// What a client would get, or "NIL".
std::string section(const std::string& message, std::string_view spec)
{
    auto item = items("BODY[" + std::string(spec) + "]").front();
    auto tree = mail::parse_mime(message);
    Extract found = imapd::extract(message, &tree, item.section);
    if (found.kind == Extract::Kind::none) return "NIL";
    return found.kind == Extract::Kind::made ? found.made : store::to_crlf(found.raw);
}

} // namespace

TEST_CASE("FETCH items are read", "[imapd]")
{
    struct Case {
        std::string_view text, labels;
    };
    const Case cases[] = {
        {"ALL", "FLAGS INTERNALDATE RFC822.SIZE ENVELOPE"},
        {"fast", "FLAGS INTERNALDATE RFC822.SIZE"},
        {"FULL", "FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY"},
        {"(UID FLAGS)", "UID FLAGS"},
        {"bodystructure", "BODYSTRUCTURE"},
        {"BODY", "BODY"},
        {"BODY[]", "BODY[]"},
        {"BODY.PEEK[header]", "BODY[HEADER]"},
        {"body.peek[4.2.Header.Fields (From \"To\")]<0.100>", "BODY[4.2.HEADER.FIELDS (From To)]<0>"},
        {"BODY[1.MIME]<5.10>", "BODY[1.MIME]<5>"},
        {"BODY[HEADER.FIELDS.NOT (X)]", "BODY[HEADER.FIELDS.NOT (X)]"},
        {"(RFC822 RFC822.HEADER RFC822.TEXT RFC822.SIZE)", "RFC822 RFC822.HEADER RFC822.TEXT RFC822.SIZE"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.text);
        std::string labels;
        for (const auto& item : items(c.text)) labels += (labels.empty() ? "" : " ") + item.label;
        CHECK(labels == c.labels);
    }
    CHECK(items("BODY[]").front().sets_seen);
    CHECK(items("RFC822").front().sets_seen);
    CHECK(!items("BODY.PEEK[]").front().sets_seen);
    CHECK(!items("RFC822.HEADER").front().sets_seen);
}

TEST_CASE("FETCH items that are none are refused", "[imapd]")
{
    for (std::string_view text : {"",
                                  "()",
                                  "(",
                                  "FOO",
                                  "(FLAGS",
                                  "(FLAGS  UID)",
                                  "(ALL)",
                                  "FLAGS UID",
                                  "BODY[",
                                  "BODY[]<",
                                  "BODY[]<1>",
                                  "BODY[]<1.0>",
                                  "BODY[]<.1>",
                                  "BODY[0]",
                                  "BODY[1.]",
                                  "BODY[MIME]",
                                  "BODY[HEADER.FIELDS]",
                                  "BODY[HEADER.FIELDS ()]",
                                  "BODY[HEADER.FIELDS (A]",
                                  "BODY[1 .MIME]",
                                  "BODY[TEXT.1]",
                                  "BODY[\"1\"]",
                                  "RFC822.FOO",
                                  "BODY.PEEK",
                                  "BODY[HEADER.FIELDS (\"\")]"}) {
        CAPTURE(text);
        CHECK_THROWS_AS(items(text), Bad);
    }
    std::string deep = "BODY[1";
    for (int i = 0; i < 5000; ++i) deep += ".1";
    CHECK_THROWS_AS(items(deep + "]"), Bad);
}

TEST_CASE("sections of a nested message, byte for byte", "[imapd]")
{
    struct Case {
        std::string_view spec, bytes;
    };
    const Case cases[] = {
        {"1", "first part\r\ntwo lines"},
        {"1.MIME", "Content-Type: text/plain; charset=utf-8\r\n\r\n"},
        {"2.HEADER",
         "From: carol@example.net\r\nSubject: inside\r\nContent-Type: multipart/alternative; boundary=inner\r\n\r\n"},
        {"2.MIME", "Content-Type: message/rfc822\r\n\r\n"},
        {"2.HEADER.FIELDS (subject X-None)", "Subject: inside\r\n\r\n"},
        {"2.HEADER.FIELDS.NOT (content-type FROM)", "Subject: inside\r\n\r\n"},
        {"2.1", "plain"},
        {"2.1.MIME", "\r\n"},
        {"2.2", "<b>html</b>"},
        {"2.2.MIME", "Content-Type: text/html\r\nX-Odd: yes\r\n\r\n"},
        {"2.TEXT",
         "--inner\r\n\r\nplain\r\n--inner\r\nContent-Type: text/html\r\nX-Odd: yes\r\n\r\n<b>html</b>\r\n--inner--"},
        {"3", "AAEC"},
        {"4", "NIL"},
        {"1.1.1", "NIL"},
        {"2.3", "NIL"},
        {"1.HEADER", "NIL"},
        {"3.TEXT", "NIL"},
        {"HEADER.FIELDS (From)", "From: Anna <anna@example.org>\r\n\r\n"},
        {"HEADER.FIELDS (X-None)", "\r\n"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.spec);
        CHECK(section(nested, c.spec) == c.bytes);
        CHECK(section(store::to_crlf(nested), c.spec) == c.bytes);
    }
    CHECK(section(nested, "") == store::to_crlf(nested));
    CHECK(section(nested, "HEADER") + section(nested, "TEXT") == store::to_crlf(nested));
    CHECK(section(nested, "TEXT").starts_with("preamble\r\n--outer"));
}

TEST_CASE("part 1 of a message without parts is its body", "[imapd]")
{
    std::string simple = "Subject: x\n\nbody\n";
    CHECK(section(simple, "1") == "body\r\n");
    CHECK(section(simple, "TEXT") == "body\r\n");
    CHECK(section(simple, "2") == "NIL");
    CHECK(section("", "") == "");
    CHECK(section("", "HEADER.FIELDS (A)") == "\r\n");
    CHECK(section("Subject: cut", "HEADER.FIELDS (subject)") == "Subject: cut\r\n\r\n");
    CHECK(section("Subject: cut", "TEXT") == "");
}

TEST_CASE("BODYSTRUCTURE and BODY of a nested message", "[imapd]")
{
    auto tree = mail::parse_mime(nested);
    CHECK(imapd::structure_text(tree, false) ==
          "((\"text\" \"plain\" (\"charset\" \"utf-8\") NIL NIL \"7bit\" 21 1)"
          "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 185 "
          "(NIL \"inside\" ((NIL NIL \"carol\" \"example.net\")) ((NIL NIL \"carol\" \"example.net\")) "
          "((NIL NIL \"carol\" \"example.net\")) NIL NIL NIL NIL NIL) "
          "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 5 0)(\"text\" \"html\" (\"charset\" "
          "\"us-ascii\") "
          "NIL NIL \"7bit\" 11 0) \"alternative\") 12)"
          "(\"application\" \"octet-stream\" (\"name\" \"a b\") NIL NIL \"base64\" 4) \"mixed\")");
    std::string extended = imapd::structure_text(tree, true);
    CHECK(extended.ends_with(
        "(\"application\" \"octet-stream\" (\"name\" \"a b\") NIL NIL \"base64\" 4 NIL "
        "(\"attachment\" (\"filename\" \"x.bin\")) NIL NIL) \"mixed\" (\"boundary\" \"outer\") NIL NIL NIL)"));
}

TEST_CASE("a multipart without parts still has one", "[imapd]")
{
    auto tree = mail::parse_mime("Content-Type: multipart/mixed; boundary=x\n\nnothing\n");
    CHECK(imapd::structure_text(tree, false).starts_with("((\"text\" \"plain\""));
}

TEST_CASE("ENVELOPE quotes what it must, and shows groups", "[imapd]")
{
    auto envelope = mail::parse_envelope("Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\n"
                                         "Subject: say \"hi\" \\ now\n"
                                         "From: Terry Gray <gray@cac.washington.edu>\n"
                                         "To: friends: a@x.org, \"B, C\" <b@x.org>;\n"
                                         "Message-Id: <B27397-0100000@cac.washington.edu>\n\n");
    CHECK(
        imapd::envelope_text(envelope) ==
        "(\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" \"say \\\"hi\\\" \\\\ now\" "
        "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) ((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
        "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
        "((NIL NIL \"friends\" NIL)(NIL NIL \"a\" \"x.org\")(\"B, C\" NIL \"b\" \"x.org\")(NIL NIL NIL NIL)) "
        "NIL NIL NIL \"<B27397-0100000@cac.washington.edu>\")");
    auto korean = mail::parse_envelope("Subject: \xed\x95\x9c\n\n");
    CHECK(imapd::envelope_text(korean).starts_with("(NIL {3}\r\n\xed\x95\x9c NIL"));
}

TEST_CASE("places on the wire are found, also between the CR and the LF that stand for one LF", "[imapd]")
{
    const std::string texts[] = {"a\nb\r\nc\n\n\r\n\rx\n", "\n", "\r\n", "abc", "", "\n\n\n", "x\r\r\ny\r"};
    for (const auto& text : texts) {
        CAPTURE(text);
        std::string wire = store::to_crlf(text);
        for (size_t target = 0; target <= wire.size(); ++target) {
            CAPTURE(target);
            auto at = imapd::advance(text, {}, target);
            CHECK(at.wire <= target);
            CHECK(target - at.wire <= 1);
            std::string whole(wire, 0, at.wire), made;
            imapd::append_wire(made, text, 0, at.raw);
            CHECK(made == whole);
            made.clear();
            imapd::append_wire(made, text, at.raw, text.size());
            CHECK(made == wire.substr(at.wire));
            auto further = imapd::advance(text, at, wire.size());
            CHECK(further.raw == text.size());
            CHECK(further.wire == wire.size());
        }
    }
}

TEST_CASE("strings choose their form", "[imapd]")
{
    auto written = [](std::string_view text) {
        std::string out;
        imapd::put_string(out, text);
        return out;
    };
    CHECK(written("") == "\"\"");
    CHECK(written("a\\b\"c") == "\"a\\\\b\\\"c\"");
    CHECK(written("a\r\nb") == "{4}\r\na\r\nb");
    CHECK(written("\xc3\xa4") == "{2}\r\n\xc3\xa4");
    CHECK(written(std::string_view("a\0b", 3)) == "{2}\r\nab");
    CHECK(written(std::string(2000, 'x')).starts_with("{2000}\r\n"));
    CHECK(imapd::wire_name("Sent") == "Sent");
    CHECK(imapd::wire_name("Sent Items") == "\"Sent Items\"");
    CHECK(imapd::wire_name("nil") == "\"nil\"");
    CHECK(imapd::wire_name("R&D") == "R&-D");
}
