// Mod-sequences: what was changed, by whom ever, has a new one; what is expunged is remembered.
#include "catch.h"

#include "base/clock.h"
#include "store/store.h"
#include "temporary_folder.h"

namespace {

using namespace store;

struct Fixture {
    TemporaryFolder folder;
    std::unique_ptr<Store> store = open_store(parse_location("maildir:" + folder / "Maildir", {"anna", folder.path()}));

    uint32_t add()
    {
        auto message = store->append("INBOX");
        message->write("Subject: x\r\n\r\nx\r\n");
        return message->commit({}, 1'000'000'000).uid;
    }
    std::unique_ptr<Mailbox> open(Access access = Access::read_write)
    {
        auto box = store->open("INBOX", access);
        box->history().follow(*box);
        return box;
    }
};

void look(Mailbox& box)
{
    box.refresh();
    box.history().follow(box);
}

} // namespace

TEST_CASE("a change has a higher mod-sequence than all before it", "[store]")
{
    Fixture f;
    for (int i = 0; i < 3; ++i) f.add();
    auto box = f.open();
    uint64_t first = box->history().highest();
    CHECK(first > 0);
    for (uint32_t uid : {1, 2, 3}) CHECK(box->history().modseq(uid) == first);
    CHECK(box->history().modseq(4) == 0);
    uint32_t two[] = {2};
    box->set_flags(two, FlagChange::add, flag::seen);
    box->history().follow(*box);
    uint64_t second = box->history().modseq(2);
    CHECK(second > first);
    CHECK(box->history().highest() == second);
    CHECK(box->history().modseq(1) == first);
    box->history().follow(*box);
    CHECK(box->history().highest() == second);
    CHECK(box->history().first_seen(2).value_or(0) > 1'000'000'000);
}

TEST_CASE("sessions agree on mod-sequences, and find them again", "[store]")
{
    Fixture f;
    for (int i = 0; i < 3; ++i) f.add();
    auto one = f.open();
    auto other = f.open(GENERATE(as<Access>(), Access::read_write, Access::read_only));
    CHECK(other->history().modseq(3) == one->history().modseq(3));
    uint32_t three[] = {3}, first[] = {1};
    one->set_flags(three, FlagChange::replace, flag::flagged | *one->keyword("$Label", true));
    one->history().follow(*one);
    one->expunge(first);
    one->history().follow(*one);
    uint64_t highest = one->history().highest();
    look(*other);
    CHECK(other->history().highest() == highest);
    CHECK(other->history().modseq(3) == one->history().modseq(3));
    CHECK(other->history().modseq(1) == 0);
    auto later = f.open();
    CHECK(later->history().highest() == highest);
    CHECK(later->history().modseq(3) == one->history().modseq(3));
    CHECK(later->history().expunged_since(highest - 1) == std::vector<uint32_t>{1});
    CHECK(later->history().expunged_since(highest) == std::vector<uint32_t>{});
    CHECK(!later->history().expunged_since(1).has_value());
}

TEST_CASE("what other programs do is noted by the first who sees it", "[store]")
{
    Fixture f;
    f.add();
    f.add();
    auto box = f.open();
    uint64_t before = box->history().highest();
    box.reset();
    auto stranger = f.store->open("INBOX", Access::read_write);
    uint32_t one[] = {1}, two[] = {2};
    stranger->set_flags(one, FlagChange::add, flag::answered);
    stranger->expunge(two);
    box = f.open();
    CHECK(box->history().modseq(1) > before);
    CHECK(box->history().expunged_since(before) == std::vector<uint32_t>{2});
}

TEST_CASE("a message that another session saw first is not taken for expunged", "[store]")
{
    Fixture f;
    f.add();
    auto slow = f.open(), quick = f.open();
    f.add();
    look(*quick);
    slow->history().follow(*slow);
    CHECK(quick->history().modseq(2) > 0);
    look(*slow);
    CHECK(slow->history().modseq(2) == quick->history().modseq(2));
    CHECK(slow->history().expunged_since(quick->history().modseq(1)) == std::vector<uint32_t>{});
}

// What is begun anew counts from the time, in milliseconds.
static void pass_the_millisecond(uint64_t then)
{
    auto now = [] { return std::chrono::duration_cast<std::chrono::milliseconds>(base::wall_now().time_since_epoch()).count(); };
    while (static_cast<uint64_t>(now()) <= then) {}
}

TEST_CASE("a torn or foreign file does no harm", "[store]")
{
    Fixture f;
    f.add();
    f.add();
    uint64_t before;
    {
        auto box = f.open();
        before = box->history().highest();
    }
    std::string bytes = f.folder.read("Maildir/rookpost-history");
    SECTION("torn")
    {
        f.folder.write("Maildir/rookpost-history", bytes.substr(0, bytes.size() - 5));
        auto box = f.open();
        CHECK(box->history().modseq(1) == before);
        CHECK(box->history().modseq(2) > before);
    }
    SECTION("a byte is another")
    {
        bytes[30] ^= 1;
        f.folder.write("Maildir/rookpost-history", bytes);
        pass_the_millisecond(before);
        auto box = f.open();
        CHECK(box->history().modseq(1) > before);
    }
    SECTION("foreign")
    {
        f.folder.write("Maildir/rookpost-history", GENERATE(as<std::string>(), "", "x", std::string(1000, 'x')));
        pass_the_millisecond(before);
        auto box = f.open();
        CHECK(box->history().modseq(1) > before);
        auto again = f.open();
        CHECK(again->history().highest() == box->history().highest());
    }
}

TEST_CASE("the file does not grow for ever", "[store]")
{
    Fixture f;
    f.add();
    auto box = f.open(), other = f.open();
    uint32_t one[] = {1};
    uint64_t last = 0;
    for (int i = 0; i < 7000; ++i) {
        box->set_flags(one, FlagChange::replace, i % 2 ? flag::seen : 0);
        box->history().follow(*box);
        CHECK(box->history().modseq(1) >= last);
        last = box->history().modseq(1);
    }
    CHECK(f.folder.read("Maildir/rookpost-history").size() < 24 * 7000);
    look(*other);
    CHECK(other->history().modseq(1) == last);
}

TEST_CASE("while one session holds, its follow() needs no other lock", "[store]")
{
    Fixture f;
    f.add();
    auto box = f.open();
    History::Hold hold(box->history());
    uint32_t one[] = {1};
    box->set_flags(one, FlagChange::add, flag::seen);
    uint64_t before = box->history().highest();
    box->history().follow(*box);
    CHECK(box->history().modseq(1) > before);
}

TEST_CASE("an mbox file has mod-sequences too", "[store]")
{
    TemporaryFolder folder;
    auto store = open_store(parse_location("mbox:" + folder / "mail" + ":INBOX=" + folder / "inbox", {"anna", folder.path()}));
    for (int i = 0; i < 2; ++i) {
        auto message = store->append("INBOX");
        message->write("Subject: x\r\n\r\nx\r\n");
        message->commit({}, 1'000'000'000);
    }
    auto box = store->open("INBOX", Access::read_write);
    box->history().follow(*box);
    uint64_t first = box->history().modseq(1);
    uint32_t one[] = {1}, two[] = {2};
    box->set_flags(one, FlagChange::add, flag::flagged | *box->keyword("$Label", true));
    box->history().follow(*box);
    CHECK(box->history().modseq(1) > first);
    box->expunge(two);
    box->history().follow(*box);
    // Another session gives the keyword another bit; that is no change.
    auto other = store->open("INBOX", Access::read_write);
    other->keyword("$Other", true);
    other->history().follow(*other);
    CHECK(other->history().modseq(1) == box->history().modseq(1));
    CHECK(other->history().highest() == box->history().highest());
    CHECK(other->history().expunged_since(box->history().modseq(1)) == std::vector<uint32_t>{2});
}
