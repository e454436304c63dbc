// Intake: what becomes of a message's header and body on its way into the queue file.
#include "spool/intake.h"

#include "base/random.h"
#include "catch.h"
#include "scratch.h"

using namespace spool;

namespace {

const std::string id = "4gBqk9x1yZbz1f";

Origin origin(bool complete = false)
{
    Origin o;
    o.sender = "joe@example.org";
    o.arrival = 1'700'000'000'000'000;
    o.complete_headers = complete;
    o.from = "joe@example.org";
    return o;
}

Recipient to(const std::string& address)
{
    Recipient r;
    r.address = address;
    return r;
}

struct Taken {
    StoredMessage message;
    std::string content;
    std::optional<Refusal> refusal;
    std::string message_id;
};

// Feeds content in pieces, writes blocks as they come, and reads the file.
Taken take(const std::string& content, Origin from, size_t piece = SIZE_MAX, const std::string& settings = {}, ContentSeen seen = {})
{
    Scratch scratch;
    base::Fd fd = scratch.file("message");
    auto config = config::Config::parse("myhostname = mail.example.org\n" + settings, "main.cf");
    Intake intake(config, std::move(from), id);
    intake.add_recipient(to("ann@example.org"));
    intake.add_recipient(to("bob@example.org"));
    for (size_t at = 0; at < content.size(); at += std::min(piece, content.size() - at)) {
        intake.add(std::string_view(content).substr(at, piece));
        if (intake.full()) write_blocks(fd.get(), intake.take_blocks(), false, "message");
    }
    write_blocks(fd.get(), intake.finish(seen), true, "message");
    Taken taken;
    taken.refusal = intake.refusal();
    taken.message_id = intake.message_id();
    taken.message = read_message(fd.get(), "message", true);
    taken.content = read_content(fd.get(), taken.message.head, "message");
    CHECK(taken.content.size() == intake.content_size());
    CHECK(taken.message.size == taken.message.head.journal_offset());
    return taken;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

} // namespace

TEST_CASE("content of a remote client is kept as it is, but for the line between header and body", "[spool]")
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

TEST_CASE("the envelope stands in the file", "[spool]")
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
    CHECK(taken.message.head.content_flags == (content_8bit | content_dot_lines | content_long_lines | content_utf8));
}

TEST_CASE("mail of our own users gets the fields it lacks", "[spool]")
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
        {"Resent-From: y\r\nX-Date: z\r\n", true, true, true},
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

TEST_CASE("bare content of our own users becomes a body behind a made header", "[spool]")
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

TEST_CASE("strangers' mail gets missing fields only when we are told to", "[spool]")
{
    CHECK(take("Subject: x\r\n\r\n", origin()).content == "Subject: x\r\n\r\n");
    CHECK(has(take("Subject: x\r\n\r\n", origin(), SIZE_MAX, "always_add_missing_headers = yes\n").content, "Date: "));
}

TEST_CASE("mail that was received too often is a loop", "[spool]")
{
    for (int hops : {0, 1, 48, 49, 500}) {
        CAPTURE(hops);
        std::string header;
        for (int i = 0; i < hops; ++i) header += i % 2 ? "RECEIVED: from a by b\r\n" : "Received: from c\r\n\tby d\r\n";
        Taken taken = take(header + "\r\nReceived: body\r\n", origin(), 100);
        CHECK(taken.refusal.has_value() == (hops >= 49));
        if (taken.refusal) CHECK(taken.refusal->code == 554);
        if (taken.refusal) CHECK(taken.refusal->dsn == "5.4.6");
    }
    CHECK(take("Received: a\r\nReceived: b\r\n", origin(), SIZE_MAX, "hopcount_limit = 1\n").refusal);
}

TEST_CASE("large content is written in blocks and comes back byte for byte", "[spool]")
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

TEST_CASE("a header without end is cut, not kept in memory", "[spool]")
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

TEST_CASE("noise is taken as it comes", "[spool]")
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

TEST_CASE("a full disk is an error", "[spool]")
{
    std::vector<Block> blocks(1);
    blocks[0].bytes = "x";
    base::Fd full = base::open_file("/dev/full", O_WRONLY);
    CHECK_THROWS_AS(write_blocks(full.get(), blocks, false, "message"), base::SystemError);
    base::Fd gone = base::open_file("/dev/null", O_RDONLY);
    CHECK_THROWS_AS(write_blocks(gone.get(), blocks, false, "message"), base::SystemError);
}
