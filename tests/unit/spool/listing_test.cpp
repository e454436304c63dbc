// The listing of the queue, and its line form between the queue manager and mailq.
#include "spool/listing.h"

#include "base/checksum.h"
#include "catch.h"
#include "scratch.h"
#include "spool/queue_file.h"
#include "spool/queue_id.h"

using namespace spool;

namespace {

ListedMessage example()
{
    ListedMessage m;
    m.queue = Queue::deferred;
    m.id = "4gBqk9x1yZbz1f";
    m.sender = "joe@example.org";
    m.arrival = 1700000000;
    m.size = 12345;
    m.next_attempt = 1700000300;
    m.forced_expiry = true;
    m.recipients = {{"a@example.org", "A@alias", "connect to mx: refused"}, {"b@example.org", "", ""}};
    return m;
}

void same(const ListedMessage& a, const ListedMessage& b)
{
    CHECK(a.queue == b.queue);
    CHECK(a.id == b.id);
    CHECK(a.sender == b.sender);
    CHECK(a.arrival == b.arrival);
    CHECK(a.size == b.size);
    CHECK(a.next_attempt == b.next_attempt);
    CHECK(a.forced_expiry == b.forced_expiry);
    REQUIRE(a.recipients.size() == b.recipients.size());
    for (size_t i = 0; i < a.recipients.size(); ++i) {
        CHECK(a.recipients[i].address == b.recipients[i].address);
        CHECK(a.recipients[i].original == b.recipients[i].original);
        CHECK(a.recipients[i].reason == b.recipients[i].reason);
    }
}

void put_file(const Folders& folders, const Place& place, const std::string& id, const std::string& journal)
{
    Envelope envelope;
    envelope.id = id;
    envelope.sender = "joe@example.org";
    envelope.arrival = 1'700'000'000'000'000;
    for (const char* address : {"a@example.org", "b@example.org"}) {
        Recipient r;
        r.address = address;
        envelope.recipients.push_back(r);
    }
    std::string records = write_envelope(envelope);
    Head head;
    head.envelope_size = records.size();
    head.envelope_checksum = base::crc32(records);
    head.content_length = 10;
    base::Fd fd = folders.create(id);
    base::write_all(fd.get(), write_head(head) + records + "0123456789" + journal, id);
    folders.move({Queue::incoming}, place, id);
}

} // namespace

TEST_CASE("listing lines are read as they were written", "[spool]")
{
    ListedMessage plain;
    plain.id = "4gBqk9x1yZbz1g";
    std::vector<ListedMessage> found = parse_listing(listing_lines(example()) + listing_lines(plain) + listing_lines(example()));
    REQUIRE(found.size() == 3);
    same(found[0], example());
    same(found[1], plain);
    same(found[2], example());
}

TEST_CASE("no address or reason can forge a line of the listing", "[spool]")
{
    ListedMessage hostile = example();
    hostile.sender = "a\tb\nM\tx";
    hostile.recipients[0] = {"x\nR\ty\tz\tw", "\t\t", "reason\r\nM\t1\t2"};
    auto found = parse_listing(listing_lines(hostile));
    REQUIRE(found.size() == 1);
    CHECK(found[0].sender == "a?b?M?x");
    REQUIRE(found[0].recipients.size() == 2);
    CHECK(found[0].recipients[0].address == "x?R?y?z?w");
    CHECK(found[0].recipients[0].reason == "reason??M?1?2");
}

TEST_CASE("odd listing lines are passed over", "[spool]")
{
    for (const char* lines : {"", "\n\n", "R\ta\tb\tc\n", "M\n", "M\ta\tb\n", "M\t1\t2\t3\t4\t5\t6\t7\t8\n", "hello\n", "\t\t\t\t\t\t\t\n"}) {
        CAPTURE(lines);
        CHECK(parse_listing(lines).empty());
    }
    auto found = parse_listing("M\tnowhere\tID\tx\t-1\t99999999999999999999\t2\t\nR\ta\t\t\nX\t\nR\tb\n");
    REQUIRE(found.size() == 1);
    CHECK(found[0].arrival == 0);
    CHECK(found[0].size == 0);
    CHECK_FALSE(found[0].forced_expiry);
    CHECK(found[0].recipients.size() == 1);
}

TEST_CASE("the queue is listed from the files: who still waits, and why", "[spool]")
{
    Scratch scratch;
    Folders folders(scratch.path());
    folders.make();
    auto event = [](RecordType type, uint32_t recipient, int64_t time, const char* text) {
        Event e;
        e.type = type;
        e.recipient = recipient;
        e.time = time;
        e.text = text;
        return write_event(e);
    };
    std::string ids[4];
    for (uint64_t i = 0; i < 4; ++i) ids[i] = make_queue_id(1'700'000'000'000'000, i);
    put_file(folders, {Queue::deferred, 1700000300}, ids[0],
             event(RecordType::deferred, 0, 1, "first") + event(RecordType::deferred, 0, 2, "second") +
                 event(RecordType::delivered, 1, 2, "250") + event(RecordType::next_attempt, 0, 1700000300, ""));
    put_file(folders, {Queue::hold}, ids[1], event(RecordType::forced_expiry, 0, 3, ""));
    put_file(folders, {Queue::active}, ids[2], event(RecordType::deferred, 77, 1, "no such recipient"));
    { base::Fd incomplete = folders.create(ids[3]); }

    std::vector<ListedMessage> found;
    list_queue(folders, [&](ListedMessage&& message) {
        found.push_back(std::move(message));
        return true;
    });
    REQUIRE(found.size() == 3);
    CHECK(found[0].id == ids[2]);
    CHECK(found[0].recipients.size() == 2);
    CHECK(found[1].id == ids[0]);
    CHECK(found[1].next_attempt == 1700000300);
    CHECK(found[1].size == 10);
    REQUIRE(found[1].recipients.size() == 1);
    CHECK(found[1].recipients[0].address == "a@example.org");
    CHECK(found[1].recipients[0].reason == "second");
    CHECK(found[2].queue == Queue::hold);
    CHECK(found[2].forced_expiry);

    int taken = 0;
    list_queue(folders, [&](ListedMessage&&) { return ++taken < 2; });
    CHECK(taken == 2);
    CHECK(list_message(folders, {Queue::incoming}, ids[3]).empty());
    CHECK(list_message(folders, {Queue::hold}, ids[0]).empty());
}
