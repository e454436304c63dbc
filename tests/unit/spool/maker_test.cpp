// The maker of mail against a queue manager that plays by a script, and one that dies.
#include "spool/maker.h"

#include "../async/run_task.h"
#include "base/log.h"
#include "catch.h"
#include "fake_manager.h"

using namespace spool;

namespace {

struct House {
    House() { base::log::open("postfix/smtpd", scratch / "log"); }
    ~House()
    {
        nursery.cancel();
        base::log::to_stderr("test");
    }
    NewFile create(async::Limit limit = std::chrono::seconds(10)) { return run_task(maker.create(limit)); }
    bool hears(const std::string& words)
    {
        return run_until([&] { return !manager.told.empty() && manager.told.back() == words; });
    }
    std::string size(const std::string& id) { return std::to_string(std::filesystem::file_size(manager.file(id))); }

    Scratch scratch;
    FakeManager manager{scratch};
    async::Nursery nursery{"test"};
    Maker maker{manager.path(), nursery};
};

} // namespace

TEST_CASE("a file is asked for, written and committed", "[spool]")
{
    House house;
    NewFile file = house.create();
    CHECK(file);
    CHECK(file.id() == "ID1");
    base::write_all(file.fd().get(), "hello", "file");
    file.commit();
    CHECK_FALSE(file);
    CHECK(house.hears("commit ID1"));
    CHECK(base::read_file(house.manager.file("ID1")) == "hello");
    CHECK(house.manager.told.size() == 1);
}

TEST_CASE("a file that is let go is abandoned", "[spool]")
{
    House house;
    { NewFile file = house.create(); }
    CHECK(house.hears("abandon ID1"));
    NewFile second = house.create(), third = house.create();
    second = std::move(third);
    CHECK(house.hears("abandon ID2"));
    CHECK(second.id() == "ID3");
    second.abandon();
    second.abandon();
    CHECK(house.hears("abandon ID3"));
    CHECK(house.manager.told.size() == 3);
}

TEST_CASE("many ask at once and each gets one", "[spool]")
{
    House house;
    house.manager.answers = false;
    std::vector<async::Task<NewFile>> tasks;
    for (int i = 0; i < 50; ++i) {
        tasks.push_back(house.maker.create());
        tasks.back().start();
    }
    REQUIRE(run_until([&] { return house.manager.asked.size() == 50; }));
    // In any order.
    for (size_t i = 50; i-- > 0;) house.manager.give(house.manager.channel(), house.manager.asked[i]);
    std::vector<std::string> ids;
    for (auto& task : tasks) {
        REQUIRE(run_until([&] { return task.done(); }));
        NewFile file = task.take();
        ids.push_back(file.id());
        file.commit();
    }
    std::sort(ids.begin(), ids.end());
    CHECK(std::unique(ids.begin(), ids.end()) == ids.end());
    CHECK(run_until([&] { return house.manager.told.size() == 50; }));
}

TEST_CASE("no queue manager, no file", "[spool]")
{
    House house;
    house.manager.die();
    CHECK_THROWS_AS(house.create(), Unavailable);
    std::filesystem::remove(house.manager.path());
    CHECK_THROWS_AS(house.create(), Unavailable);
    house.manager.listen();
    CHECK(house.create());
}

TEST_CASE("the queue manager's problem is told", "[spool]")
{
    House house;
    house.manager.problem = "4.3.1 Insufficient system storage";
    std::string text;
    try {
        house.create();
    } catch (const Unavailable& failure) {
        text = failure.what();
    }
    CHECK(text == "4.3.1 Insufficient system storage");
}

TEST_CASE("a queue manager that does not answer in time costs one request, and its late file is given back", "[spool]")
{
    House house;
    house.manager.answers = false;
    CHECK_THROWS_AS(house.create(async::Limit(30)), Unavailable);
    REQUIRE(house.manager.asked.size() == 1);
    house.manager.give(house.manager.channel(), house.manager.asked[0]);
    CHECK(house.hears("abandon ID1"));
}

TEST_CASE("who stops waiting for a file gets none", "[spool]")
{
    House house;
    house.manager.answers = false;
    {
        auto task = house.maker.create();
        task.start();
        REQUIRE(run_until([&] { return house.manager.asked.size() == 1; }));
    }
    house.manager.give(house.manager.channel(), house.manager.asked[0]);
    CHECK(house.hears("abandon ID1"));
}

TEST_CASE("a queue manager that dies before commit gets an empty file and we an exception", "[spool]")
{
    House house;
    NewFile file = house.create(), other = house.create();
    base::write_all(file.fd().get(), "a whole message", "file");
    base::write_all(other.fd().get(), "another", "file");
    house.manager.die();
    SECTION("noticed")
    {
        run_rounds();
        CHECK_THROWS_AS(file.commit(), Unavailable);
    }
    SECTION("not noticed yet") { CHECK_THROWS_AS(file.commit(), Unavailable); }
    SECTION("and is back")
    {
        run_rounds();
        house.manager.listen();
        NewFile next = house.create();
        CHECK(next);
        CHECK_THROWS_AS(file.commit(), Unavailable);
    }
    CHECK_FALSE(file);
    CHECK(house.size("ID1") == "0");
    other.abandon();
    CHECK(house.size("ID2") == "0");
}

namespace {

// Asks again and again, each time after everything else that could go on.
async::Task<> ask_often(Maker& maker, std::vector<async::Task<NewFile>>& asked)
{
    for (int i = 0; i < 1500; ++i) {
        asked.push_back(maker.create());
        asked.back().start();
        co_await async::Yield();
    }
}

} // namespace

TEST_CASE("a file of a queue manager that died is not committed to its successor, however close they are", "[spool]")
{
    House house;
    house.manager.answers = false;
    auto task = house.maker.create();
    task.start();
    REQUIRE(run_until([&] { return house.manager.asked.size() == 1; }));
    house.manager.give(house.manager.channel(), house.manager.asked[0]);
    house.manager.die();
    house.manager.listen();
    std::vector<async::Task<NewFile>> asked;
    house.nursery.start(ask_often(house.maker, asked));
    REQUIRE(run_until([&] { return task.done() && asked.size() == 1500; }));
    NewFile file = task.take();
    CHECK_THROWS_AS(file.commit(), Unavailable);
    CHECK(house.size("ID1") == "0");
}

TEST_CASE("who waits when the queue manager dies is told at once", "[spool]")
{
    House house;
    house.manager.answers = false;
    auto task = house.maker.create();
    task.start();
    REQUIRE(run_until([&] { return house.manager.asked.size() == 1; }));
    house.manager.die();
    REQUIRE(run_until([&] { return task.done(); }));
    CHECK_THROWS_AS(task.take(), Unavailable);
}

TEST_CASE("nonsense from the queue manager ends the connection, not the program", "[spool]")
{
    House house;
    NewFile file = house.create();
    for (uint16_t type : {Created::type, Commit::type, uint16_t{999}}) {
        ipc::Packet packet;
        packet.type = type;
        packet.bytes = "\1";
        house.manager.channel().send(std::move(packet));
        run_rounds();
        CHECK(house.create());
    }
    CHECK(house.manager.connections() == 4);
    CHECK_THROWS_AS(file.commit(), Unavailable);
}

namespace {

std::vector<std::string> picked;
async::Task<> pick_up(Pickup pickup)
{
    picked.push_back(pickup.name + " " + std::to_string(pickup.uid) + " " + base::read_all(pickup.file.get(), "pickup"));
    co_return;
}

} // namespace

TEST_CASE("what lies in the maildrop is taken by who offered to, again after a restart", "[spool]")
{
    House house;
    picked.clear();
    house.maker.offer_pickup(pick_up);
    REQUIRE(house.hears("offer"));
    base::replace_file(house.scratch / "drop", "MAIL FROM:<>", 0600);
    Pickup pickup;
    pickup.name = "drop";
    pickup.uid = 7;
    pickup.file = base::open_file(house.scratch / "drop", O_RDONLY);
    house.manager.channel().post(std::move(pickup));
    REQUIRE(run_until([&] { return picked.size() == 1; }));
    CHECK(picked[0] == "drop 7 MAIL FROM:<>");
    PickedUp verdict;
    verdict.name = "drop";
    verdict.verdict = PickedUp::accepted;
    house.maker.answer(verdict);
    CHECK(house.hears("picked drop 0"));
    house.manager.die();
    run_rounds();
    house.manager.told.clear();
    house.manager.listen();
    CHECK(house.hears("offer"));
}
