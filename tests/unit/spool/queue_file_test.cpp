// The queue file's grammar: what is written is read back, and nothing that lies on a disk can harm the reader.
#include "spool/queue_file.h"

#include "base/checksum.h"
#include "base/random.h"
#include "catch.h"
#include "scratch.h"

#include <unistd.h>

using namespace spool;

namespace {

Recipient recipient(const std::string& address, const std::string& original = {}, const std::string& orcpt = {}, uint32_t notify = 0)
{
    Recipient r;
    r.address = address;
    r.original = original;
    r.dsn_original = orcpt;
    r.notify = notify;
    return r;
}

Envelope example()
{
    Envelope e;
    e.id = "4gBqk9x1yZbz1f";
    e.arrival = 1'700'000'000'123'456;
    e.sender = "sender@example.org";
    e.recipients = {recipient("a@example.org"), recipient("b@example.net", "B@alias.example", "rfc822;B+40alias.example", notify_failure)};
    e.attributes = {{"client_name", "mx.example.org"}, {"envid", "x=y=z"}, {"empty", ""}};
    return e;
}

std::string whole(const Envelope& envelope, const std::string& content, const std::string& journal = {})
{
    std::string records = write_envelope(envelope);
    Head head;
    head.envelope_size = records.size();
    head.envelope_checksum = base::crc32(records);
    head.content_length = content.size();
    head.content_checksum = base::crc32(content);
    head.content_flags = content_8bit | content_utf8;
    return write_head(head) + records + content + journal;
}

Event event(RecordType type, uint32_t recipient, int64_t time, const std::string& text)
{
    Event e;
    e.type = type;
    e.recipient = recipient;
    e.time = time;
    e.dsn = "4.4.1";
    e.text = text;
    e.remote = "mx.example.org[192.0.2.1]:25";
    return e;
}

// How reading these bytes as a file ends.
enum class Read { whole, damaged, other };
Read read_back(const Scratch& scratch, std::string_view bytes, StoredMessage* into = nullptr)
{
    base::Fd fd = scratch.file("message");
    REQUIRE(::ftruncate(fd.get(), 0) == 0);
    base::pwrite_all(fd.get(), bytes, 0, "message");
    try {
        StoredMessage message = read_message(fd.get(), "message", true);
        if (into) *into = std::move(message);
        return Read::whole;
    } catch (const Damaged&) {
        return Read::damaged;
    }
}

} // namespace

TEST_CASE("a queue file is read as it was written", "[spool]")
{
    Scratch scratch;
    for (size_t size : {size_t{0}, size_t{1}, size_t{100}, size_t{5000}, size_t{600000}}) {
        CAPTURE(size);
        std::string content = base::random_bytes(size);
        std::string journal = write_event(event(RecordType::deferred, 1, 1700000001, "no route")) +
                              write_event(event(RecordType::delivered, 0, 1700000002, "250 ok"));
        StoredMessage message;
        REQUIRE(read_back(scratch, whole(example(), content, journal), &message) == Read::whole);
        CHECK(message.head.content_length == size);
        CHECK(message.head.content_flags == (content_8bit | content_utf8));
        CHECK(message.envelope.id == "4gBqk9x1yZbz1f");
        CHECK(message.envelope.arrival == 1'700'000'000'123'456);
        CHECK(message.envelope.sender == "sender@example.org");
        REQUIRE(message.envelope.recipients.size() == 2);
        CHECK(message.envelope.recipients[0].number == 0);
        CHECK(message.envelope.recipients[1].number == 1);
        CHECK(message.envelope.recipients[1].address == "b@example.net");
        CHECK(message.envelope.recipients[1].original == "B@alias.example");
        CHECK(message.envelope.recipients[1].dsn_original == "rfc822;B+40alias.example");
        CHECK(message.envelope.recipients[1].notify == notify_failure);
        CHECK(message.envelope.attribute("envid") == "x=y=z");
        CHECK(message.envelope.attribute("empty") == "");
        REQUIRE(message.journal.size() == 2);
        CHECK(message.journal[0].type == RecordType::deferred);
        CHECK(message.journal[0].recipient == 1);
        CHECK(message.journal[0].time == 1700000001);
        CHECK(message.journal[0].dsn == "4.4.1");
        CHECK(message.journal[0].text == "no route");
        CHECK(message.journal[0].remote == "mx.example.org[192.0.2.1]:25");
        CHECK(message.journal[1].type == RecordType::delivered);
        base::Fd fd = scratch.file("message");
        CHECK(read_content(fd.get(), message.head, "message") == content);
        CHECK(read_content(fd.get(), message.head, "message", 10) == content.substr(0, 10));
    }
}

TEST_CASE("envelopes larger than the first read come back whole", "[spool]")
{
    Scratch scratch;
    Envelope many = example();
    for (int i = 0; i < 3000; ++i) many.recipients.push_back(recipient("user" + std::to_string(i) + "@example.org"));
    StoredMessage message;
    REQUIRE(read_back(scratch, whole(many, "Subject: x\r\n\r\n"), &message) == Read::whole);
    REQUIRE(message.envelope.recipients.size() == 3002);
    CHECK(message.envelope.recipients[3001].address == "user2999@example.org");
    CHECK(message.envelope.recipients[3001].number == 3001);
}

TEST_CASE("a null sender and empty fields are kept apart", "[spool]")
{
    Scratch scratch;
    Envelope e;
    e.id = "4gBqk9x1yZbz1f";
    e.recipients = {recipient(""), recipient("", "x", ""), recipient("a", "", "rfc822;a")};
    StoredMessage message;
    REQUIRE(read_back(scratch, whole(e, ""), &message) == Read::whole);
    CHECK(message.envelope.sender.empty());
    REQUIRE(message.envelope.recipients.size() == 3);
    CHECK(message.envelope.recipients[1].original == "x");
    CHECK(message.envelope.recipients[2].dsn_original == "rfc822;a");
}

TEST_CASE("a NUL in a value can't move the fields behind it", "[spool]")
{
    Scratch scratch;
    Envelope e = example();
    e.recipients = {recipient(std::string("a@b\0evil@c", 10), "orig", "rfc822;a", 4)};
    e.attributes = {{"helo_name", std::string("x\0y", 3)}};
    StoredMessage message;
    Event odd = event(RecordType::deferred, 0, 5, std::string("text\0more", 9));
    REQUIRE(read_back(scratch, whole(e, "", write_event(odd)), &message) == Read::whole);
    CHECK(message.envelope.recipients[0].address == "a@b");
    CHECK(message.envelope.recipients[0].original == "orig");
    CHECK(message.envelope.recipients[0].notify == 4);
    CHECK(message.envelope.attribute("helo_name") == "x");
    REQUIRE(message.journal.size() == 1);
    CHECK(message.journal[0].text == "text");
    CHECK(message.journal[0].remote == odd.remote);
}

TEST_CASE("a file that was cut off is damaged up to its journal, and whole from there on", "[spool]")
{
    Scratch scratch;
    std::string first = write_event(event(RecordType::deferred, 0, 1, "one")), second = write_event(event(RecordType::delivered, 0, 2, "two"));
    std::string bytes = whole(example(), "Subject: x\r\n\r\nbody\r\n", first + second);
    size_t journal = bytes.size() - first.size() - second.size();
    for (size_t size = 0; size <= bytes.size(); ++size) {
        CAPTURE(size);
        StoredMessage message;
        Read found = read_back(scratch, std::string_view(bytes).substr(0, size), &message);
        REQUIRE(found == (size < journal ? Read::damaged : Read::whole));
        // A torn record is as if it had never been.
        if (size >= journal) REQUIRE(message.journal.size() == (size == bytes.size() ? 2 : size >= journal + first.size() ? 1 : 0));
    }
}

TEST_CASE("a damaged byte is noticed wherever it is", "[spool]")
{
    Scratch scratch;
    std::string first = write_event(event(RecordType::deferred, 0, 1, "one")), second = write_event(event(RecordType::delivered, 0, 2, "two"));
    std::string bytes = whole(example(), "Subject: x\r\n\r\nbody\r\n", first + second);
    size_t journal = bytes.size() - first.size() - second.size();
    for (size_t at = 0; at < bytes.size(); ++at)
        for (int change : {0x01, 0x80, 0xff}) {
            CAPTURE(at, change);
            std::string other = bytes;
            other[at] = static_cast<char>(other[at] ^ change);
            StoredMessage message;
            Read found = read_back(scratch, other, &message);
            REQUIRE(found == (at < journal ? Read::damaged : Read::whole));
            if (at >= journal) REQUIRE(message.journal.size() == (at < journal + first.size() ? 0 : 1));
        }
}

TEST_CASE("sizes that lie are refused before anything is read by them", "[spool]")
{
    Scratch scratch;
    std::string good = whole(example(), "Subject: x\r\n\r\n");
    uint64_t sizes[] = {0, 1, 4, head_size, uint64_t{1} << 31, uint64_t{1} << 62, (uint64_t{1} << 62) + 1, UINT64_MAX - 63, UINT64_MAX};
    for (uint64_t envelope : sizes)
        for (uint64_t content : sizes) {
            CAPTURE(envelope, content);
            Head head = read_head(good);
            head.envelope_size = envelope;
            head.content_length = content;
            std::string bytes = write_head(head) + good.substr(head_size);
            REQUIRE(read_back(scratch, bytes) == Read::damaged);
        }
}

TEST_CASE("records that fit their checksum but not the grammar are refused", "[spool]")
{
    Scratch scratch;
    auto record = [](char type, const std::string& payload, uint32_t length) {
        std::string out(1, type);
        for (int i = 0; i < 4; ++i) out += static_cast<char>(length >> 8 * i & 255);
        return out + payload;
    };
    std::string cases[] = {
        record('?', "x", 1),
        record('R', "only one field", 14),
        record('R', std::string("a\0b\0c\0d\0e", 9), 9),
        record('R', std::string("a\0b\0c\0nine", 10), 10),
        record('R', std::string("a\0b\0c\0-1", 8), 8),
        record('T', "yesterday", 9),
        record('T', "", 0),
        record('S', std::string("a\0b", 3), 3),
        record('I', std::string("a\0", 2), 2),
        record('A', "no value", 8),
        record('A', std::string("a=\0b", 4), 4),
        record('S', "short", 6),
        record('S', "short", UINT32_MAX),
        std::string("S"),
        std::string("S\0\0\0", 4),
        record('d', "", 0),
        std::string(1, '\0'),
    };
    for (const auto& records : cases) {
        CAPTURE(records);
        Head head;
        head.envelope_size = records.size();
        head.envelope_checksum = base::crc32(records);
        REQUIRE(read_back(scratch, write_head(head) + records) == Read::damaged);
    }
}

TEST_CASE("noise is no journal and no queue file", "[spool]")
{
    Scratch scratch;
    for (int i = 0; i < 300; ++i) {
        std::string noise = base::random_bytes(base::random_below(300));
        CHECK(read_journal(noise).empty());
        CHECK(read_back(scratch, noise) == Read::damaged);
    }
    std::string zeros(200, '\0');
    CHECK(read_journal(zeros).empty());
    CHECK(read_back(scratch, zeros) == Read::damaged);
}

TEST_CASE("a file that was never finished is incomplete", "[spool]")
{
    Scratch scratch;
    std::string bytes = whole(example(), "Subject: x\r\n\r\nbody\r\n");
    bytes.replace(0, head_size, std::string(head_size, '\0'));
    CHECK(read_back(scratch, bytes) == Read::damaged);
}
