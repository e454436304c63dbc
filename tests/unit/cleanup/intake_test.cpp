// Intake: what becomes of a message's header and body on its way into the queue file.
#include "taken.h"

#include "base/random.h"

using namespace cleanup;

TEST_CASE("content of a remote client is kept as it is, but for the line between header and body", "[cleanup]")
{
    struct Case {
        const char *in, *out;
    };
    Case cases[] = {
        {"Subject: x\r\n\r\nbody\r\n", "Subject: x\r\n\r\nbody\r\n"},
        {"Subject: x\r\n\r\n", "Subject: x\r\n\r\n"},
        {"Subject: x\r\n", "Subject: x\r\n\r\n"},
        {"Subject: x\r\n folded\r\n\tmore\r\nTo: y\r\n\r\nb\r\n", "Subject: x\r\n folded\r\n\tmore\r\nTo: y\r\n\r\nb\r\n"},
        // The divider was forgotten.
        {"Subject: x\r\nthis is no field\r\n", "Subject: x\r\n\r\nthis is no field\r\n"},
        {"just text\r\nSubject: too late\r\n", "\r\njust text\r\nSubject: too late\r\n"},
        {"\r\nbody\r\n", "\r\nbody\r\n"},
        {"\r\n", "\r\n"},
        {"", "\r\n"},
        {" starts with space\r\nSubject: no\r\n", "\r\n starts with space\r\nSubject: no\r\n"},
        // BDAT may end in the middle of a line.
        {"Subject: x", "Subject: x\r\n\r\n"},
        {"Subject: x\r\n\r\nno newline", "Subject: x\r\n\r\nno newline"},
        {"Subject: x\r\nno field, no newline", "Subject: x\r\n\r\nno field, no newline"},
        {"no field, no newline", "\r\nno field, no newline"},
        // Bcc and what only a final delivery may say.
        {"Bcc: secret@example.org\r\nSubject: x\r\n\r\nBcc: body\r\n", "Subject: x\r\n\r\nBcc: body\r\n"},
        {"Subject: x\r\nBCC: a@example.org,\r\n b@example.org\r\nTo: y\r\n\r\n", "Subject: x\r\nTo: y\r\n\r\n"},
        {"Resent-Bcc: a\r\nReturn-Path: <b>\r\nContent-Length: 7\r\nX: y\r\n\r\n", "X: y\r\n\r\n"},
        {"Bcc: only\r\n", "\r\n"},
        {"X-Bcc: stays\r\nBcc-X: stays\r\n\r\n", "X-Bcc: stays\r\nBcc-X: stays\r\n\r\n"},
    };
    for (const auto& c : cases)
        for (size_t piece : {SIZE_MAX, size_t{1}, size_t{2}, size_t{7}}) {
            CAPTURE(c.in, piece);
            Taken taken = take(c.in, origin(), piece);
            CHECK(taken.content == c.out);
            CHECK_FALSE(taken.refusal);
        }
}

TEST_CASE("the envelope stands in the file", "[cleanup]")
{
    Origin from = origin();
    from.attributes = {{"client_name", "mx.example.org"}};
    from.received = "Received: from x\r\n\tby y\r\n";
    from.prepend = "Delivered-To: z\r\n";
    from.utf8 = true;
    ContentSeen seen;
    seen.has_8bit = seen.has_leading_dot = true;
    seen.longest_line = 999;
    Taken taken = take("Subject: x\r\n\r\nbody\r\n", from, SIZE_MAX, "", seen);
    CHECK(taken.content == "Delivered-To: z\r\nReceived: from x\r\n\tby y\r\nSubject: x\r\n\r\nbody\r\n");
    CHECK(taken.message.envelope.id == id);
    CHECK(taken.message.envelope.sender == "joe@example.org");
    CHECK(taken.message.envelope.arrival == 1'700'000'000'000'000);
    REQUIRE(taken.message.envelope.recipients.size() == 2);
    CHECK(taken.message.envelope.recipients[1].address == "bob@example.org");
    CHECK(taken.message.envelope.attribute("client_name") == "mx.example.org");
    CHECK(taken.message.head.content_flags == (spool::content_8bit | spool::content_dot_lines | spool::content_long_lines | spool::content_utf8));
}

TEST_CASE("a header tells what the message is", "[cleanup]")
{
    struct Case {
        const char *header, *settings;
        uint32_t flags;
    };
    const Case cases[] = {
        {"Content-Transfer-Encoding: 8bit\r\n", "", spool::content_8bit},
        {"Content-Transfer-Encoding: 8BIT \r\n", "", spool::content_8bit},
        {"Content-Transfer-Encoding: 8bit\r\n", "detect_8bit_encoding_header = no\n", 0},
        {"Content-Transfer-Encoding: 7bit\r\n", "", 0},
        {"Subject: gr\xc3\xbc\xc3\x9f\x65\r\n", "", spool::content_utf8},
        {"Subject: gr\xfc\xdf\x65\r\n", "", 0},
        {"Subject: x\r\n", "", 0},
    };
    for (const Case& c : cases)
        for (bool detects : {true, false}) {
            CAPTURE(c.header, detects);
            Origin from = origin();
            from.detects_utf8 = detects;
            Taken taken = take(std::string(c.header) + "\r\nb\xc3\xbc\r\n", from, SIZE_MAX, c.settings);
            CHECK(taken.message.head.content_flags == (c.flags & ~(detects ? 0u : uint32_t{spool::content_utf8})));
        }
}

TEST_CASE("mail of our own users gets the fields it lacks", "[cleanup]")
{
    struct Case {
        const char* header;
        bool date, message_id, from;    // added
    };
    Case cases[] = {
        {"", true, true, true},
        {"Subject: x\r\n", true, true, true},
        {"date: y\r\n", false, true, true},
        {"MESSAGE-ID: <a@b>\r\n", true, false, true},
        {"From: y\r\n", true, true, false},
        {"From: y\r\nDate: z\r\nMessage-ID: <a@b>\r\n", false, false, false},
    };
    for (const auto& c : cases)
        for (bool body : {false, true}) {
            CAPTURE(c.header, body);
            Taken taken = take(std::string(c.header) + (body ? "\r\nbody\r\n" : ""), origin(true), 3);
            CHECK(has(taken.content, "Date: Tue, 14 Nov 2023 ") == c.date);
            CHECK(has(taken.content, "Message-Id: <") == c.message_id);
            CHECK(has(taken.content, "From: joe@example.org\r\n") == c.from);
            CHECK(taken.content.find("\r\n\r\n") == (body ? taken.content.size() - 10 : taken.content.size() - 4));
            if (c.message_id) CHECK(has(taken.content, "Message-Id: " + taken.message_id + "\r\n"));
            if (c.message_id) CHECK(has(taken.message_id, "@mail.example.org>"));
            if (!c.message_id) CHECK(taken.message_id == "<a@b>");
        }
}

TEST_CASE("a message that was sent on gets the Resent- fields it lacks", "[cleanup]")
{
    Taken taken = take("From: a@example.org\r\nTo: b@example.org\r\nResent-To: c@example.org\r\n\r\n", origin(true));
    CHECK(has(taken.content, "Resent-Message-Id: <"));
    CHECK(has(taken.content, "Resent-Date: Tue, 14 Nov 2023 "));
    CHECK(has(taken.content, "Resent-From: joe@example.org\r\n"));
    CHECK_FALSE(has(taken.content, "\r\nDate: "));
    CHECK(has(taken.log, id + ": resent-message-id=<"));
    CHECK(has(taken.log, id + ": message-id=<>"));
}

TEST_CASE("mail without any recipient header gets the one that main.cf gives", "[cleanup]")
{
    const std::string setting = "undisclosed_recipients_header = To: undisclosed-recipients:;\n";
    CHECK_FALSE(has(take("Subject: x\r\n\r\n", origin(true)).content, "\r\nTo:"));
    CHECK(has(take("Subject: x\r\n\r\n", origin(true), SIZE_MAX, setting).content, "\r\nTo: undisclosed-recipients:;\r\n"));
    CHECK_FALSE(has(take("Subject: x\r\n\r\n", origin(), SIZE_MAX, setting).content, "To:"));
    for (const char* field : {"To: a@b.example", "cc: a@b.example", "Resent-To: a@b.example"})
        CHECK_FALSE(has(take(std::string(field) + "\r\n\r\n", origin(true), SIZE_MAX, setting).content, "undisclosed"));
    CHECK_FALSE(has(take("Bcc: a@b.example\r\n\r\n", origin(true), SIZE_MAX, "undisclosed_recipients_header = no field\n").content, "no field"));
}

TEST_CASE("a field beyond header_size_limit loses its last lines", "[cleanup]")
{
    std::string folded = "X-Long: " + std::string(50, 'x') + "\r\n " + std::string(60, 'y') + "\r\n zz\r\n";
    CHECK(take(folded + "To: x\r\n\r\n", origin(), SIZE_MAX, "header_size_limit = 100\n").content ==
          "X-Long: " + std::string(50, 'x') + "\r\n " + std::string(60, 'y') + "\r\nTo: x\r\n\r\n");
    CHECK(take(folded + "\r\n", origin()).content == folded + "\r\n");
}

TEST_CASE("header and body can be changed until they are sealed, however large they are", "[cleanup]")
{
    for (size_t size : {size_t{10}, size_t{300} << 10, size_t{900} << 10}) {
        for (const char* field : {"", "X-Spam: no\r\n"}) {
            for (bool new_body : {false, true}) {
                CAPTURE(size, field, new_body);
                std::string body = base::random_bytes(size) + "\r\n";
                Given given;
                given.content = "Subject: long enough to be taken out\r\nTo: x\r\n\r\n" + body;
                given.piece = 100000;
                given.before_seal = [&](Intake& intake) {
                    intake.header() = "To: x\r\n" + std::string(field);
                    if (new_body) intake.replace_body("another body\r\n", {});
                };
                Taken taken = take(given);
                bool same = taken.content == "To: x\r\n" + std::string(field) + "\r\n" + (new_body ? "another body\r\n" : body);
                CHECK(same);
            }
        }
    }
}

TEST_CASE("bare content of our own users becomes a body behind a made header", "[cleanup]")
{
    for (const char* text : {"hello\r\n", "hello", "hello there\r\nand more\r\n", "\r\nhello\r\n"}) {
        CAPTURE(text);
        Taken taken = take(text, origin(true));
        size_t end = taken.content.find("\r\n\r\n");
        REQUIRE(end != std::string::npos);
        CHECK(has(taken.content.substr(0, end), "From: joe@example.org"));
        CHECK(has(taken.content.substr(end + 4), "hello"));
        CHECK_FALSE(has(taken.content.substr(0, end), "hello"));
    }
}

TEST_CASE("strangers' mail gets missing fields only when we are told to", "[cleanup]")
{
    CHECK(take("Subject: x\r\n\r\n", origin()).content == "Subject: x\r\n\r\n");
    CHECK(has(take("Subject: x\r\n\r\n", origin(), SIZE_MAX, "always_add_missing_headers = yes\n").content, "Date: "));
}

TEST_CASE("mail that was received too often is a loop", "[cleanup]")
{
    for (int hops : {0, 1, 49, 50, 500}) {
        CAPTURE(hops);
        std::string header;
        for (int i = 0; i < hops; ++i) header += i % 2 ? "RECEIVED: from a by b\r\n" : "Received: from c\r\n\tby d\r\n";
        Taken taken = take(header + "\r\nReceived: body\r\n", origin(), 100);
        CHECK(taken.refusal.has_value() == (hops >= 50));
        if (taken.refusal) CHECK(taken.refusal->code == 554);
        if (taken.refusal) CHECK(taken.refusal->dsn == "5.4.0");
    }
    // Our own field counts.
    Origin received = origin();
    received.received = "Received: by us\r\n";
    CHECK(take("Received: a\r\n", received, SIZE_MAX, "hopcount_limit = 2\n").refusal);
    CHECK_FALSE(take("Received: a\r\n", received, SIZE_MAX, "hopcount_limit = 3\n").refusal);
}

TEST_CASE("large content is written in blocks and comes back byte for byte", "[cleanup]")
{
    for (size_t size : {size_t{255} << 10, size_t{256} << 10, size_t{3000000}}) {
        std::string body = base::random_bytes(size);
        std::string content = "Subject: large\r\n\r\n" + body;
        for (size_t piece : {size_t{4096}, size_t{65536}, size_t{1000003}}) {
            CAPTURE(size, piece);
            bool same = take(content, origin(), piece).content == content;
            CHECK(same);
        }
    }
}

TEST_CASE("a header without end is cut, not kept in memory", "[cleanup]")
{
    std::string endless;
    while (endless.size() < (3 << 20)) endless += "X-Field: " + std::string(70, 'x') + "\r\n";
    Taken taken = take(endless, origin(), 10000);
    CHECK(taken.content.size() >= endless.size());
    Taken one_line = take(std::string(3 << 20, 'x'), origin(true), 10000);
    CHECK(one_line.content.size() > (3u << 20));
    Taken folded = take("X: y\r\n" + std::string(2 << 20, ' ') + "\r\n", origin(), 10000);
    CHECK(folded.content.size() > (2u << 20));
}

TEST_CASE("noise is taken as it comes", "[cleanup]")
{
    for (int i = 0; i < 200; ++i) {
        std::string noise = base::random_bytes(base::random_below(200));
        for (char& c : noise)
            if (base::random_below(4) == 0) c = "\r\n: \t"[base::random_below(5)];
        CAPTURE(noise);
        size_t piece = 1 + base::random_below(10);
        std::string at_once = take(noise, origin()).content, in_pieces = take(noise, origin(), piece).content;
        CHECK(at_once == in_pieces);
        CHECK(has(at_once, "\r\n"));
    }
}

TEST_CASE("a full disk is an error", "[cleanup]")
{
    spool::Writes blocks;
    blocks.blocks.push_back({0, "x"});
    base::Fd full = base::open_file("/dev/full", O_WRONLY);
    CHECK_THROWS_AS(spool::write_blocks(full.get(), blocks, false, "message"), base::SystemError);
    base::Fd gone = base::open_file("/dev/null", O_RDONLY);
    CHECK_THROWS_AS(spool::write_blocks(gone.get(), blocks, false, "message"), base::SystemError);
}
