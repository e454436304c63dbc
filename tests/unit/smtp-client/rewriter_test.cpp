// Messages that are changed on their way out: quoted-printable for servers of seven bits, and fields and lines by an editor.
#include "rewriter.h"
#include "base/text.h"
#include "catch.h"
#include "editing.h"
#include "mail/transfer.h"
#include "mail_server.h"

using namespace smtp_client;

namespace {

std::string crlf(std::string_view text) { return base::replace_all(text, "\n", "\r\n"); }

// In pieces of every size, all of which must give the same.
std::string rewritten(const std::string& lines, Editor* editor = nullptr, bool seven_bits_only = true, size_t edit_body = 0)
{
    std::string content = crlf(lines), first;
    for (size_t piece : {content.size() + 1, size_t(1), size_t(2), size_t(7)}) {
        Rewriter rewriter(editor, seven_bits_only, edit_body);
        std::string sink;
        for (size_t at = 0; at < content.size(); at += piece) rewriter.feed(std::string_view(content).substr(at, piece), sink);
        rewriter.finish(sink);
        if (first.empty()) first = sink;
        CHECK(sink == first);
    }
    return base::replace_all(first, "\r\n", "\n");
}

std::string qp(const std::string& line)
{
    QuotedPrintable encoder;
    std::string sink;
    encoder.add(line, true, sink);
    return sink;
}

} // namespace

TEST_CASE("quoted-printable by lines", "[smtp-client]")
{
    struct Case {
        const char *line, *encoded;
    };
    const Case cases[] = {{"", "\r\n"},           {"abc", "abc\r\n"},      {"a=b", "a=3Db\r\n"},      {"\xc3\xbc", "=C3=BC\r\n"},
                          {"a ", "a=20\r\n"},     {"a\t", "a=09\r\n"},     {" a\tb c", " a\tb c\r\n"}, {"\x7f\r", "=7F=0D\r\n"},
                          {".", ".\r\n"}};
    for (const auto& each : cases) CHECK(qp(each.line) == each.encoded);
    std::string encoded = qp(std::string(500, 'x') + std::string(200, '\xe9'));
    for (auto line : base::split(encoded, "\r\n")) CHECK(line.size() <= 76);
    CHECK(mail::decode_quoted_printable(encoded) == std::string(500, 'x') + std::string(200, '\xe9') + "\r\n");
}

TEST_CASE("eight-bit parts become quoted-printable, wherever they are", "[smtp-client]")
{
    struct Case {
        const char *in, *out;
    };
    const Case cases[] = {
        // One part; the encoding is written anew at the end of the header.
        {"Content-Transfer-Encoding: 8bit\nSubject: \xc3\xbc\nContent-Type: text/plain\n\nGr\xc3\xbc\xc3\x9f"
         "e =\n.\n",
         "Subject: \xc3\xbc\nContent-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\nGr=C3=BC=C3=9Fe =3D\n.\n"},
        // As it is where seven bits are promised, or it is encoded already.
        {"Subject: x\n\n\xc3\xbc\n", "Subject: x\n\n\xc3\xbc\n"},
        {"Content-Transfer-Encoding: base64\n\nw7w=\n", "Content-Transfer-Encoding: base64\n\nw7w=\n"},
        // A multipart is not encoded, its parts are.
        {"Content-Type: multipart/mixed; boundary=\"b b\"\nContent-Transfer-Encoding: 8bit (yes)\n\npre\n--b b\nContent-Type: text/plain\n"
         "Content-Transfer-Encoding: 8BIT\n\n\xe9=\n--b b\n\n\xe9=\n--b b--\n\xe9=\n",
         "Content-Type: multipart/mixed; boundary=\"b b\"\nContent-Transfer-Encoding: 7bit\n\npre\n--b b\nContent-Type: text/plain\n"
         "Content-Transfer-Encoding: quoted-printable\n\n=E9=3D\n--b b\n\n\xe9=\n--b b--\n\xe9=\n"},
        // A message in a message; and the outer boundary ends an inner multipart that was never closed.
        {"Content-Type: multipart/mixed;\n boundary=out\n\n--out\nContent-Type: message/rfc822\nContent-Transfer-Encoding: 8bit\n\n"
         "Subject: in\nContent-Type: multipart/alternative; boundary=in\n\n--in\nContent-Transfer-Encoding: binary\n\n\xe9\n--out\n"
         "Content-Transfer-Encoding: 8bit\n\n\xe9\n--out--\n",
         "Content-Type: multipart/mixed;\n boundary=out\n\n--out\nContent-Type: message/rfc822\nContent-Transfer-Encoding: 7bit\n\n"
         "Subject: in\nContent-Type: multipart/alternative; boundary=in\n\n--in\nContent-Transfer-Encoding: quoted-printable\n\n=E9\n--out\n"
         "Content-Transfer-Encoding: quoted-printable\n\n=E9\n--out--\n"},
        // Parts of a digest are messages.
        {"Content-Type: multipart/digest; boundary=d\n\n--d\n\nContent-Transfer-Encoding: 8bit\n\n\xe9\n--d--\n",
         "Content-Type: multipart/digest; boundary=d\n\n--d\n\nContent-Transfer-Encoding: quoted-printable\n\n=E9\n--d--\n"},
        // A boundary that only begins alike is none.
        {"Content-Type: multipart/mixed; boundary=a\n\n--ab\n--a \nContent-Transfer-Encoding: 8bit\n\n\xe9\n--ab\n--a--\n",
         "Content-Type: multipart/mixed; boundary=a\n\n--ab\n--a \nContent-Transfer-Encoding: quoted-printable\n\n=E9\n--ab\n--a--\n"},
        // No body, no header, no line end.
        {"Content-Transfer-Encoding: 8bit\n", "Content-Transfer-Encoding: quoted-printable\n"},
        {"", ""},
        {"\n\xe9\n", "\n\xe9\n"},
        {"no header\n\xe9\n", "no header\n\xe9\n"},
        {"Content-Transfer-Encoding: 8bit\n\nx\xe9", "Content-Transfer-Encoding: quoted-printable\n\nx=E9\n"},
    };
    for (const auto& each : cases) {
        CAPTURE(each.in);
        CHECK(rewritten(each.in) == each.out);
    }
}

TEST_CASE("what is converted decodes to what it was", "[smtp-client]")
{
    std::string body;
    for (int i = 0; i < 40000; ++i) body += i % 97 == 0 ? "\r\n" : std::string(1, static_cast<char>(i * 7 % 256 | 1));
    body += "end";
    Rewriter rewriter(nullptr, true);
    std::string sink;
    rewriter.feed("Content-Transfer-Encoding: 8bit\r\n\r\n" + body, sink);
    rewriter.finish(sink);
    std::string encoded = sink.substr(sink.find("\r\n\r\n") + 4);
    CHECK(base::is_ascii(encoded));
    std::string decoded = mail::decode_quoted_printable(encoded), expected;
    Rewriter as_it_is(nullptr, false);
    as_it_is.feed("\r\n" + body, expected);
    as_it_is.finish(expected);
    CHECK((decoded == expected.substr(2)));
}

TEST_CASE("fields and lines are changed by tables", "[smtp-client]")
{
    auto tables = testing::tables_of(
        "smtp_header_checks = pcre:{ {/^(Received):/i IGNORE}, {/^Subject: secret (.*)/ REPLACE Subject: $$1}, {/^X-Two:/ PREPEND X-One: 1}, "
        "{/^X-Warn:/ WARN look here}, {/^X-Odd:/ REJECT}, {/^X-Long: a.b/s REPLACE X-Short: 1} }\n"
        "smtp_mime_header_checks = pcre:{ {/^Content-Type: image/ REPLACE Content-Type: text/plain} }\n"
        "smtp_nested_header_checks = pcre:{ {/^Subject: inner/ STRIP gone} }\n"
        "smtp_body_checks = pcre:{ {/drop/ IGNORE}, {/old/ REPLACE new}, {/pre/ PREPEND line before} }\n");
    std::string id = "4abc";
    TableEditor editor(*tables, id);
    CHECK(tables->checks());
    CHECK(rewritten("Received: a\n b\nSubject: secret plan\nX-Two: 2\nX-Warn: x\nX-Odd: y\nX-Long: a\n b\nContent-Type: multipart/mixed; boundary=m\n\n"
                    "--m\nContent-Type: image\n\ndrop me\nold\nprefix\nrest\n--m\nContent-Type: message/rfc822\n\nSubject: inner\nReceived: kept\n\nx\n--m--\n",
                    &editor, false, 51200) ==
          "Subject: plan\nX-One: 1\nX-Two: 2\nX-Warn: x\nX-Odd: y\nX-Long: a\n b\nContent-Type: multipart/mixed; boundary=m\n\n"
          "--m\nContent-Type: text/plain\n\nnew\nline before\nprefix\nrest\n--m\nContent-Type: message/rfc822\n\nReceived: kept\n\nx\n--m--\n");
}

TEST_CASE("addresses of the inside become those of the outside", "[smtp-client]")
{
    auto tables = testing::tables_of("smtp_generic_maps = inline:{ {anna@here.test = anna.b@example.com}, {@inner.test = @example.com}, "
                                     "{odd@here.test = strange name@example.com} }\nrecipient_delimiter = +\n"
                                     "propagate_unmatched_extensions = canonical, virtual, generic");
    CHECK(tables->outside("anna@here.test") == "anna.b@example.com");
    CHECK(tables->outside("anna+x@here.test") == "anna.b+x@example.com");
    CHECK(tables->outside("bob@inner.test") == "bob@example.com");
    CHECK(tables->outside("bob@other.test") == "bob@other.test");
    CHECK(tables->outside("") == "");
    struct Case {
        const char *in, *out;
    };
    const Case cases[] = {
        {"From: \"B, Anna\" <anna@here.test>", "From: \"B, Anna\" <anna.b@example.com>"},
        {"to: x@y.test,\n bob@inner.test", "to: x@y.test, bob@example.com"},
        {"Cc: Us: anna@here.test, x@y.test;, z@y.test", "Cc: Us: anna.b@example.com, x@y.test;, z@y.test"},
        {"Sender: odd@here.test", "Sender: \"strange name\"@example.com"},
        {"From:  untouched@y.test (as it is)", "From:  untouched@y.test (as it is)"},
        {"Subject: anna@here.test", "Subject: anna@here.test"},
        {"From: ", "From: "},
    };
    for (const auto& each : cases) {
        std::string field = each.in;
        rewrite_addresses(*tables, field);
        CHECK(field == each.out);
    }
}
