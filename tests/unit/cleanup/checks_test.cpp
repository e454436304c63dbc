// checks: each action of header_checks(5), for headers and bodies, with its log line; and what strict_ parameters forbid.
#include "taken.h"

#include "base/text.h"

using namespace cleanup;

namespace {

Origin stranger()
{
    Origin from = origin();
    from.client = "mx.example.net[192.0.2.7]";
    from.attributes = {{"protocol_name", "ESMTP"}, {"helo_name", "mx.example.net"}, {"client_name", "mx.example.net"}};
    return from;
}

std::string of(const std::string& what, const std::string& content)
{
    return id + ": " + what + " " + content + " from mx.example.net[192.0.2.7]; from=<joe@example.org> to=<bob@example.org> proto=ESMTP helo=<mx.example.net>";
}

std::string checks(const std::string& parameter, const std::string& rules) { return parameter + " = regexp:{" + base::replace_all(rules, "$", "$$") + "}\n"; }

const std::string message = "Subject: x\r\nX-Mark: one\r\n two\r\n\r\nline one\r\nline two\r\n";

} // namespace

TEST_CASE("actions on a header", "[cleanup]")
{
    struct Case {
        const char *rule, *header, *log;
    };
    const Case cases[] = {
        {"WARN", "Subject: x\r\nX-Mark: one\r\n two\r\n", "warning: header"},
        {"WARN look there", "Subject: x\r\nX-Mark: one\r\n two\r\n", "warning: header"},
        {"INFO just so", "Subject: x\r\nX-Mark: one\r\n two\r\n", "info: header"},
        {"IGNORE", "X-Mark: one\r\n two\r\n", ""},
        {"STRIP why", "X-Mark: one\r\n two\r\n", "strip: header"},
        {"DUNNO", "Subject: x\r\nX-Mark: one\r\n two\r\n", ""},
        {"OK", "Subject: x\r\nX-Mark: one\r\n two\r\n", ""},
        {"PASS by", "Subject: x\r\nX-Mark: one\r\n two\r\n", "pass: header"},
        {"PREPEND X-New: y", "X-New: y\r\nSubject: x\r\nX-Mark: one\r\n two\r\n", "prepend: header"},
        {"REPLACE X-Old: $1", "X-Old: x\r\nX-Mark: one\r\n two\r\n", "replace: header"},
        {"replace Subject: [ext] ${1}", "Subject: [ext] x\r\nX-Mark: one\r\n two\r\n", "replace: header"},
        // What makes no sense changes nothing.
        {"PREPEND", "Subject: x\r\nX-Mark: one\r\n two\r\n", "PREPEND action without text in header_checks map"},
        {"PREPEND no field", "Subject: x\r\nX-Mark: one\r\n two\r\n", "bad PREPEND header text"},
        {"REPLACE no field", "Subject: x\r\nX-Mark: one\r\n two\r\n", "bad REPLACE header text"},
        {"FILTER", "Subject: x\r\nX-Mark: one\r\n two\r\n", "missing FILTER command argument in header_checks map"},
        {"FILTER nowhere", "Subject: x\r\nX-Mark: one\r\n two\r\n", "bad FILTER command nowhere in header_checks"},
        {"REDIRECT somebody", "Subject: x\r\nX-Mark: one\r\n two\r\n", "bad REDIRECT target"},
        {"BCC somebody", "Subject: x\r\nX-Mark: one\r\n two\r\n", "bad BCC address"},
        {"FROBNICATE it", "Subject: x\r\nX-Mark: one\r\n two\r\n", "unknown command in header_checks map: FROBNICATE it"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.rule);
        Taken taken = take(message, stranger(), 5, checks("header_checks", "{/^Subject: (.*)/ " + std::string(c.rule) + "}"));
        CHECK(taken.content == std::string(c.header) + "\r\nline one\r\nline two\r\n");
        CHECK_FALSE(taken.refusal);
        if (*c.log) CHECK(has(taken.log, c.log));
    }
}

TEST_CASE("the log names the piece, the client and the envelope", "[cleanup]")
{
    CHECK(has(take(message, stranger(), 5, checks("header_checks", "{/^X-Mark/ WARN hm}")).log, of("warning: header", "X-Mark: one  two") + ": hm\n"));
    CHECK(has(take(message, stranger(), 5, checks("body_checks", "{/two/ INFO}")).log, of("info: body", "line two") + "\n"));
    CHECK(has(take(message, origin(), 5, checks("body_checks", "{/two/ INFO}")).log,
              "info: body line two from local; from=<joe@example.org> to=<bob@example.org>\n"));
    // Nobody writes lines of his own.
    CHECK_FALSE(has(take("Subject: a\rb\033[0m\r\n\r\n", stranger(), 5, checks("header_checks", "{/^Subject/ WARN}")).log, "\033"));
}

TEST_CASE("content is refused, with the words of the table", "[cleanup]")
{
    struct Case {
        const char* rule;
        int code;
        const char *dsn, *text;
    };
    for (const Case& c : {Case{"REJECT", 550, "5.7.1", "message content rejected"}, Case{"REJECT no spam", 550, "5.7.1", "no spam"},
                          Case{"REJECT 5.6.7 bad letters", 550, "5.6.7", "bad letters"}, Case{"REJECT 4.7.0 come again", 451, "4.7.0", "come again"},
                          Case{"reject   spaced", 550, "5.7.1", "spaced"}}) {
        for (const char* parameter : {"header_checks", "body_checks"}) {
            CAPTURE(c.rule, parameter);
            bool header = std::string_view(parameter) == "header_checks";
            Taken taken = take(message, stranger(), 7, checks(parameter, "{/^(Subject|line two)/ " + std::string(c.rule) + "} {/./ WARN later}"));
            REQUIRE(taken.refusal);
            CHECK(taken.refusal->code == c.code);
            CHECK(taken.refusal->dsn == c.dsn);
            CHECK(taken.refusal->text == c.text);
            CHECK(has(taken.log, of(header ? "reject: header" : "reject: body", header ? "Subject: x" : "line two") + ": " + c.dsn + " " + c.text + "\n"));
            // It is over: nothing else is looked at.
            CHECK(has(taken.log, "later") == !header);
        }
    }
}

TEST_CASE("what is decided of the whole message is carried out when it is sealed", "[cleanup]")
{
    Taken held = take(message, stranger(), 5, checks("header_checks", "{/^Subject/ HOLD for a look}"));
    CHECK(held.message.envelope.attribute("hold") == "yes");
    CHECK(has(held.log, of("hold: header", "Subject: x") + ": for a look\n"));

    Taken filtered = take(message, stranger(), 5, checks("body_checks", "{/two/ FILTER scan:[127.0.0.1]:10025}"));
    CHECK(filtered.message.envelope.attribute("content_filter") == "scan:[127.0.0.1]:10025");

    Taken discarded = take(message, stranger(), 5, checks("header_checks", "{/^Subject/ DISCARD away}"));
    CHECK(discarded.treatment.discard);
    CHECK_FALSE(discarded.refusal);
    CHECK(has(discarded.log, "discard: header"));

    for (const char* parameter : {"header_checks", "body_checks"}) {
        CAPTURE(parameter);
        Taken redirected = take(message, stranger(), 5, checks(parameter, "{/^(Subject|line two)/ REDIRECT eve@example.net}"));
        CHECK(redirected.recipients() == std::vector<std::string>{"eve@example.net"});
        CHECK(redirected.message.envelope.recipients[0].original == "ann@example.org");
        Taken copied = take(message, stranger(), 5, checks(parameter, "{/^(Subject|line two)/ BCC eve@example.net}"));
        CHECK(copied.recipients() == std::vector<std::string>{"ann@example.org", "bob@example.org", "eve@example.net"});
        CHECK(copied.message.envelope.recipients[2].notify == spool::notify_never);
    }
    // It was decided before the content came, and the body was on disk already.
    Given given;
    given.content = "Subject: x\r\n\r\n" + std::string(600000, 'x') + "\r\n";
    given.piece = 65536;
    given.treatment.prepend = {"X-Seen: by policy"};
    given.treatment.bcc = {"a-long-address-that-makes-the-envelope-grow@example.net"};
    Taken before = take(given);
    CHECK(before.content == "X-Seen: by policy\r\n" + given.content);
    CHECK(before.recipients().size() == 3);
}

TEST_CASE("a REPLACE is one field, and is taken as what it says it is", "[cleanup]")
{
    Taken folded = take("X-A: b\r\nc\r\n", origin(), 5, checks("header_checks", "{/^X-A/ DUNNO}"));
    CHECK(folded.content == "X-A: b\r\n\r\nc\r\n");
    Taken spanning = take("Subject: a\r\n b\r\n\r\n", origin(), 5, "header_checks = pcre:{{/^Subject: (.*)/ REPLACE X: $$1}}\n");
    CHECK(spanning.content == "X: a\r\n b\r\n\r\n");
    Taken secret = take("Subject: a\r\n\r\n", origin(), 5, checks("header_checks", "{/^Subject/ REPLACE Bcc: eve@example.net}"));
    CHECK(secret.content == "\r\n");
}

TEST_CASE("actions on a line of the body", "[cleanup]")
{
    struct Case {
        const char *rule, *body;
    };
    for (const Case& c : {Case{"IGNORE", "line one\r\n"}, Case{"STRIP", "line one\r\n"}, Case{"REPLACE other $1", "line one\r\nother two\r\n"},
                          Case{"PREPEND before", "line one\r\nbefore\r\nline two\r\n"}, Case{"WARN", "line one\r\nline two\r\n"},
                          Case{"REPLACE", "line one\r\nline two\r\n"}}) {
        for (size_t piece : {size_t{1}, size_t{4}, SIZE_MAX}) {
            CAPTURE(c.rule, piece);
            CHECK(take(message, origin(), piece, checks("body_checks", "{/line (two)/ " + std::string(c.rule) + "}")).content ==
                  "Subject: x\r\nX-Mark: one\r\n two\r\n\r\n" + std::string(c.body));
        }
    }
}

TEST_CASE("body_checks looks at so much of each part, and at long lines in pieces", "[cleanup]")
{
    std::string lines;
    for (int i = 0; i < 100; ++i) lines += "0123456789\r\n";
    const std::string settings = checks("body_checks", "{/marker/ REJECT}");
    CHECK_FALSE(take("\r\n" + lines + "marker\r\n", origin(), 50, settings + "body_checks_size_limit = 1000\n").refusal);
    CHECK(take("\r\n" + lines + "marker\r\n", origin(), 50, settings + "body_checks_size_limit = 1001\n").refusal);
    CHECK(take("\r\n" + lines + "marker\r\n", origin(), 50, settings + "body_checks_size_limit = 0\n").refusal);
    std::string parts = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n" + lines + "--b\r\n\r\nmarker\r\n--b--\r\n";
    CHECK(take(parts, origin(), 50, settings + "body_checks_size_limit = 500\n").refusal);
    std::string endless(100000, 'x');
    CHECK(take("\r\n" + endless, origin(), 1000, settings).content == "\r\n" + endless);
    CHECK(take("\r\n" + std::string(4097, 'x') + "\r\nyes\r\n", origin(), 1000, checks("body_checks", "{/^x+$/ IGNORE}")).content == "\r\nyes\r\n");
}

TEST_CASE("the headers of parts and of messages inside have tables of their own", "[cleanup]")
{
    const std::string mail = "Subject: top\r\nContent-Type: multipart/mixed;\r\n boundary=\"outer\"\r\n\r\npreamble\r\n"
                             "--outer\r\nContent-Type: text/plain;\r\n name=a.exe\r\nX-Part: 1\r\n\r\ntext\r\nSubject: no header\r\n"
                             "--outer\r\nContent-Type: message/rfc822\r\n\r\nSubject: inside\r\nContent-Type: text/html\r\n\r\nSubject: nor this\r\n"
                             "--outer--\r\nSubject: epilogue\r\n";
    struct Case {
        const char *settings, *gone;
    };
    const Case cases[] = {
        {"header_checks = regexp:{{/^Subject: (top|inside|no|epi)/ IGNORE}}\nnested_header_checks =\n", "Subject: top\r\n"},
        {"header_checks = regexp:{{/^Subject: (in|no|epi)/ IGNORE}}\n", "Subject: inside\r\n"},
        {"nested_header_checks = regexp:{{/^(Subject|X-Part|Content)/ IGNORE}}\n", "Subject: inside\r\n"},
        {"mime_header_checks = regexp:{{/^X-Part/ IGNORE}}\n", "X-Part: 1\r\n"},
        {"mime_header_checks = regexp:{{/^Content-Type.*name=.*exe/ IGNORE}}\n", "Content-Type: text/plain;\r\n name=a.exe\r\n"},
        {"mime_header_checks = regexp:{{/text.html/ IGNORE} {/^Subject/ IGNORE}}\n", "Content-Type: text/html\r\n"},
        {"mime_header_checks = regexp:{{/^Content-Type/ IGNORE}}\ndisable_mime_input_processing = yes\n",
         "Content-Type: multipart/mixed;\r\n boundary=\"outer\"\r\n"},
    };
    for (const Case& c : cases) {
        for (size_t piece : {size_t{1}, size_t{13}, SIZE_MAX}) {
            CAPTURE(c.settings, piece);
            std::string expected = mail;
            expected.erase(expected.find(c.gone), std::string_view(c.gone).size());
            CHECK(take(mail, origin(), piece, c.settings).content == expected);
        }
    }
}

TEST_CASE("strict parameters", "[cleanup]")
{
    const std::string nested = "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
                               "Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--\r\n--b--\r\n--a--\r\n";
    struct Case {
        const char* settings;
        std::string mail;
        const char* text;       // of the refusal; empty: taken
    };
    const Case cases[] = {
        {"", "Subject: gr\xc3\xbc\xc3\x9f\x65\r\n\r\n\xc3\xbc\r\n", ""},
        {"strict_7bit_headers = yes\n", "Subject: gr\xc3\xbc\r\n\r\n", "improper use of 8-bit data in message header"},
        {"strict_8bitmime = yes\n", "Subject: gr\xc3\xbc\r\n\r\n", "improper use of 8-bit data in message header"},
        {"strict_7bit_headers = yes\n", "Subject: x\r\n\r\n\xc3\xbc\r\n", ""},
        {"strict_8bitmime_body = yes\n", "Subject: x\r\n\r\n\xc3\xbc\r\n", "improper use of 8-bit data in message body"},
        {"strict_8bitmime_body = yes\n", "Content-Transfer-Encoding: 8bit\r\n\r\n\xc3\xbc\r\n", ""},
        {"strict_8bitmime_body = yes\n", "Content-Transfer-Encoding: BINARY\r\n\r\n\xc3\xbc\r\n", ""},
        {"strict_8bitmime_body = yes\n", "Content-Transfer-Encoding: base64\r\n\r\n\xc3\xbc\r\n", "improper use of 8-bit data in message body"},
        {"strict_mime_encoding_domain = yes\n", "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nx\r\n",
         "invalid message/* or multipart/* encoding domain"},
        {"strict_mime_encoding_domain = yes\n", "Content-Type: multipart/mixed; boundary=x\r\nContent-Transfer-Encoding: 8bit\r\n\r\n--x--\r\n", ""},
        {"header_checks = regexp:{{/^X/ WARN}}\nmime_nesting_limit = 2\n", nested, "MIME nesting exceeds safety limit"},
        {"header_checks = regexp:{{/^X/ WARN}}\nmime_nesting_limit = 3\n", nested, ""},
        {"mime_nesting_limit = 1\n", nested, ""},
        {"body_checks = regexp:{{/^X/ WARN}}\nmime_nesting_limit = 1\n", nested, ""},
    };
    for (const Case& c : cases) {
        CAPTURE(c.settings, c.mail);
        Taken taken = take(c.mail, stranger(), 9, c.settings);
        CHECK(taken.refusal.has_value() == (*c.text != 0));
        if (!taken.refusal) continue;
        CHECK(taken.refusal->code == 550);
        CHECK(taken.refusal->dsn == "5.6.0");
        CHECK(taken.refusal->text == c.text);
        CHECK(has(taken.log, "reject: mime-error " + std::string(c.text) + ": "));
    }
    Origin utf8 = stranger();
    utf8.utf8 = true;
    CHECK_FALSE(take("Subject: gr\xc3\xbc\r\n\r\n", utf8, 9, "strict_7bit_headers = yes\n").refusal);
}

TEST_CASE("whose mail is checked", "[cleanup]")
{
    const std::string rule = checks("header_checks", "{/^Subject/ REJECT}");
    struct Case {
        Source source;
        const char* settings;
        bool checked;
    };
    for (const Case& c : {Case{Source::client, "", true}, Case{Source::client, "receive_override_options = no_header_body_checks\n", false},
                          Case{Source::forward, "internal_mail_filter_classes = bounce, notify\n", false}, Case{Source::bounce, "", false},
                          Case{Source::bounce, "internal_mail_filter_classes = bounce\n", true},
                          Case{Source::notify, "internal_mail_filter_classes = bounce\n", false},
                          Case{Source::notify, "internal_mail_filter_classes = bounce, notify\n", true}}) {
        CAPTURE(static_cast<int>(c.source), c.settings);
        Origin from = origin();
        from.source = c.source;
        CHECK(take(message, from, 9, rule + c.settings).refusal.has_value() == c.checked);
    }
}

TEST_CASE("a table that cannot be read refuses for now", "[cleanup]")
{
    for (const char* settings : {"header_checks = fail:x\n", "body_checks = regexp:/nowhere/at/all\n", "mime_header_checks = fail:y\n"}) {
        CAPTURE(settings);
        Taken taken = take("Content-Type: text/plain\r\nX: y\r\n\r\nbody\r\n", origin(), 9, settings);
        REQUIRE(taken.refusal);
        CHECK(taken.refusal->code == 451);
        CHECK(taken.refusal->dsn == "4.3.0");
        CHECK(has(taken.log, "message not accepted, try again later"));
    }
}
