// What a queue file says about each recipient, and where its journal goes on.
#include "message.h"

#include "catch.h"

using namespace qmgr;
using spool::RecordType;

namespace {

spool::Event event(RecordType type, uint32_t recipient, const std::string& text, int64_t time = 5)
{
    spool::Event e;
    e.type = type;
    e.recipient = recipient;
    e.time = time;
    e.text = text;
    e.dsn = "4.0.0";
    return e;
}

spool::StoredMessage stored(std::vector<spool::Event> journal)
{
    spool::StoredMessage s;
    s.envelope.id = "4gBqk9x1yZbz1f";
    s.envelope.recipients.resize(3);
    s.head.envelope_size = 100;
    s.head.content_length = 1000;
    s.journal = std::move(journal);
    return s;
}

} // namespace

TEST_CASE("the journal's last word on a recipient counts", "[qmgr]")
{
    auto message = make_message(stored({event(RecordType::deferred, 0, "first", 1), event(RecordType::deferred, 0, "second", 2),
                                        event(RecordType::deferred, 1, "busy", 3), event(RecordType::delivered, 1, "250 ok", 4),
                                        event(RecordType::next_attempt, 0, "", 99)}),
                                {spool::Queue::deferred, 99});
    REQUIRE(message->recipients.size() == 3);
    CHECK(message->recipients[0].state == RecipientState::to_do);
    CHECK(message->recipients[0].text == "second");
    CHECK(message->recipients[0].last_attempt == 2);
    CHECK(message->recipients[1].state == RecipientState::delivered);
    CHECK(message->recipients[1].text == "250 ok");
    CHECK(message->recipients[2].state == RecipientState::to_do);
    CHECK(message->recipients[2].text.empty());
    CHECK_FALSE(message->forced_expiry);
    CHECK(message->place == spool::Place{spool::Queue::deferred, 99});
}

TEST_CASE("what was delivered once stays so", "[qmgr]")
{
    auto message = make_message(stored({event(RecordType::delivered, 1, "250 ok"), event(RecordType::deferred, 1, "odd")}), {});
    CHECK(message->recipients[1].state == RecipientState::delivered);
}

TEST_CASE("the journal is written on where its last whole record ends", "[qmgr]")
{
    auto none = make_message(stored({}), {});
    CHECK(none->journal_end == 64 + 100 + 1000);
    std::vector<spool::Event> events = {event(RecordType::deferred, 0, "x"), event(RecordType::forced_expiry, 0, "")};
    std::string bytes = spool::write_event(events[0]) + spool::write_event(events[1]);
    auto some = make_message(stored(events), {});
    CHECK(some->journal_end == 64 + 100 + 1000 + bytes.size());
    CHECK(some->forced_expiry);
    // Torn in the third record: the next goes over it.
    std::string torn = bytes + spool::write_event(events[0]).substr(0, 12);
    CHECK(make_message(stored(spool::read_journal(torn)), {})->journal_end == some->journal_end);
}

TEST_CASE("events about recipients that do not exist, or of kinds we do not know, are passed over", "[qmgr]")
{
    std::vector<spool::Event> events = {event(RecordType::delivered, 3, "x"), event(RecordType::delivered, UINT32_MAX, "x"),
                                        event(static_cast<RecordType>('?'), 0, "x"), event(RecordType::deferred, 2, "y")};
    auto message = make_message(stored(events), {});
    for (int i = 0; i < 3; ++i) CHECK(message->recipients[static_cast<size_t>(i)].state == RecipientState::to_do);
    CHECK(message->recipients[2].text == "y");
}
