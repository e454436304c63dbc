// The owner of the spool: what becomes of a message whose recipients can't be delivered, are bounced, or are done.
#include "manager.h"
#include "retry.h"

#include "../async/run_task.h"
#include "../spool/scratch.h"
#include "base/log.h"
#include "catch.h"
#include "cleanup/intake.h"

using namespace qmgr;

namespace {

struct House {
    explicit House(const std::string& settings)
        : config(config::Config::parse("myhostname = mail.example.org\nmydestination =\nqueue_directory = " + scratch.path() + "\n" + settings, "main.cf"))
    {
        base::log::open("postfix/qmgr", scratch / "log");
        manager = std::make_unique<Manager>(config, nursery);
    }
    ~House()
    {
        run_rounds();
        nursery.cancel();
        base::log::flush();
        base::log::to_stderr("test");
    }
    // A message that arrived so many seconds ago, as a maker leaves it.
    std::string accept(const std::string& sender, int64_t age = 0, uint32_t notify = 0, const spool::Treatment& treatment = {})
    {
        Manager::NewFile file = manager->create();
        cleanup::Origin origin;
        origin.sender = sender;
        origin.arrival = now_microseconds() - age * 1'000'000;
        cleanup::Intake intake(manager->intake_rules(), origin, file.id);
        intake.treatment() = treatment;
        spool::Recipient recipient;
        recipient.address = "ann@elsewhere.example";
        recipient.notify = notify;
        intake.add_recipient(recipient);
        intake.add("Subject: x\r\n\r\nbody\r\n");
        intake.finish({});
        spool::write_blocks(file.fd.get(), intake.seal(), true, file.id);
        manager->accept(file.id, std::move(file.fd));
        return file.id;
    }
    bool settled() const
    {
        return run_until([&] { return manager->active_count() == 0; });
    }
    std::string log() const
    {
        base::log::flush();
        return base::read_file(scratch / "log");
    }

    Scratch scratch;
    config::Config config;
    async::Nursery nursery{"qmgr"};
    std::unique_ptr<Manager> manager;
};

} // namespace

TEST_CASE("deferred mail waits longer the older it is, between the two limits", "[qmgr]")
{
    struct Case {
        int64_t age, least, most;       // seconds until the next attempt
    };
    for (const auto& c : {Case{0, 300, 340}, Case{200, 300, 340}, Case{1000, 1000, 1070}, Case{100000, 4000, 4070}}) {
        CAPTURE(c.age);
        House house("default_transport = retry:4.4.4 nowhere to go\n");
        int64_t before = now_seconds();
        std::string id = house.accept("joe@example.org", c.age);
        REQUIRE(house.settled());
        auto place = house.manager->folders().find(id);
        REQUIRE(place);
        CHECK(place->queue == spool::Queue::deferred);
        CHECK(place->when >= before + c.least);
        CHECK(place->when <= now_seconds() + c.most);
        base::Fd fd = house.manager->folders().open_to_read(*place, id);
        auto stored = spool::read_message(fd.get(), id, true);
        REQUIRE(stored.journal.size() == 2);
        CHECK(stored.journal[0].text == "nowhere to go");
        CHECK(stored.journal[1].time == place->when);
        CHECK(house.log().find("status=deferred (nowhere to go)") != std::string::npos);
    }
}

TEST_CASE("a message that can't be delivered is answered by a notice, a notice by nothing", "[qmgr]")
{
    House house("default_transport = error:5.1.2 no such place\n");
    std::string id = house.accept("joe@example.org");
    REQUIRE(house.settled());
    std::string log = house.log();
    CHECK(log.find("status=bounced (no such place)") != std::string::npos);
    CHECK(log.find(id + ": sender non-delivery notification: ") != std::string::npos);
    CHECK(log.find("undeliverable notification discarded") != std::string::npos);
    CHECK(run_until([&] { return !house.manager->folders().find(id); }));
}

TEST_CASE("what is to be held is held until it is released", "[qmgr]")
{
    House house("default_transport = retry:nowhere\n");
    spool::Treatment treatment;
    treatment.hold = true;
    std::string id = house.accept("joe@example.org", 0, 0, treatment);
    CHECK(house.manager->active_count() == 0);
    CHECK(house.manager->folders().find(id) == spool::Place{spool::Queue::hold});
    CHECK(house.log().find("(queue active)") == std::string::npos);
    CHECK(house.manager->release(id));
    REQUIRE(house.settled());
    CHECK(house.manager->folders().find(id)->queue == spool::Queue::deferred);
}

TEST_CASE("what is to be filtered goes to the filter, wherever its recipients are", "[qmgr]")
{
    House house("default_transport = error:not here\n");
    spool::Treatment treatment;
    treatment.filter = "retry:4.7.0 filtered";
    std::string id = house.accept("joe@example.org", 0, 0, treatment);
    REQUIRE(house.settled());
    CHECK(house.log().find("dsn=4.7.0, status=deferred (filtered)") != std::string::npos);
}

TEST_CASE("a damaged file is set aside, an unfinished one is no message", "[qmgr]")
{
    House house("default_transport = retry:x\n");
    Manager::NewFile file = house.manager->create();
    base::write_all(file.fd.get(), "no queue file at all, and that for more than sixty-four bytes of it", "file");
    std::string id = file.id;
    CHECK_FALSE(house.manager->activate({spool::Queue::incoming}, id, std::move(file.fd)));
    CHECK(house.manager->folders().find(id) == spool::Place{spool::Queue::corrupt});
    CHECK_FALSE(house.manager->activate({spool::Queue::incoming}, "0000000000z0"));
    CHECK(house.manager->active_count() == 0);
}

TEST_CASE("who is told of a delay, a delivery and a failure", "[qmgr]")
{
    struct Case {
        std::string transport, settings, sender;
        int64_t age;
        uint32_t notify;
        std::string told;       // in the log; empty: nobody
    };
    const std::string hour = "delay_warning_time = 1h\n";
    for (const auto& c : {
             Case{"retry:4.4.4 down", hour, "joe@example.org", 7200, 0, "sender delay notification: "},
             Case{"retry:4.4.4 down", hour, "joe@example.org", 7200, spool::notify_delay, "sender delay notification: "},
             Case{"retry:4.4.4 down", hour, "joe@example.org", 7200, spool::notify_failure, ""},
             Case{"retry:4.4.4 down", hour, "joe@example.org", 600, 0, ""},
             Case{"retry:4.4.4 down", "", "joe@example.org", 7200, 0, ""},
             Case{"retry:4.4.4 down", hour, "", 7200, 0, ""},
             Case{"retry:4.4.4 down", hour + "notify_classes = delay\n", "joe@example.org", 7200, 0, "postmaster delay notification: "},
             Case{"discard:", "", "joe@example.org", 0, spool::notify_success, "sender delivery status notification: "},
             Case{"discard:", "", "joe@example.org", 0, 0, ""},
             Case{"discard:", "", "joe@example.org", 0, spool::notify_failure, ""},
             Case{"discard:", "", "", 0, spool::notify_success, ""},
             Case{"error:5.1.1 no", "", "joe@example.org", 0, 0, "sender non-delivery notification: "},
             Case{"error:5.1.1 no", "", "joe@example.org", 0, spool::notify_never, ""},
             Case{"error:5.1.1 no", "notify_classes = bounce\n", "joe@example.org", 0, 0, "postmaster non-delivery notification: "},
             Case{"error:5.1.1 no", "notify_classes = 2bounce\n", "", 0, 0, "postmaster non-delivery notification: "},
             Case{"error:5.1.1 no", "notify_classes = 2bounce\n", "double-bounce@mail.example.org", 0, 0, "undeliverable postmaster notification discarded"},
             Case{"error:5.1.1 no", "", "", 0, 0, "undeliverable notification discarded"},
         }) {
        CAPTURE(c.transport, c.settings, c.sender, c.age, c.notify);
        // The notices themselves go nowhere.
        House house("sender_dependent_default_transport_maps = inline:{{" + std::string(c.sender.empty() ? "<>" : c.sender) + "=" + c.transport +
                    "}}\ndefault_transport = discard:\n" + c.settings);
        house.accept(c.sender, c.age, c.notify);
        REQUIRE(house.settled());
        std::string log = house.log();
        CAPTURE(log);
        if (c.told.empty())
            CHECK(log.find("notification") == std::string::npos);
        else
            CHECK(log.find(c.told) != std::string::npos);
    }
}

TEST_CASE("a sender is warned of a delay once", "[qmgr]")
{
    House house("default_transport = retry:4.4.4 down\ndelay_warning_time = 1h\n");
    std::string id = house.accept("joe@example.org", 7200);
    auto deferred = [&] { return house.settled() && house.manager->folders().find(id)->queue == spool::Queue::deferred; };
    REQUIRE(deferred());
    REQUIRE(house.manager->flush(id));
    REQUIRE(deferred());
    std::string log = house.log();
    CAPTURE(log);
    size_t first = log.find("sender delay notification: ");
    REQUIRE(first != std::string::npos);
    CHECK(log.find(id + ": sender delay notification: ", first) == std::string::npos);
}

TEST_CASE("what the active queue and the list of waiting ones cannot hold is found again when there is room", "[qmgr]")
{
    House house("default_transport = nobody:\nqmgr_message_active_limit = 2\n");
    Retry retry(*house.manager);
    retry.start();
    std::vector<std::string> left;
    for (int i = 0; i < 9; ++i) left.push_back(house.accept("joe@example.org"));
    CHECK(house.manager->active_count() == 2);
    while (!left.empty()) {
        REQUIRE(run_until([&] { return house.manager->active_count() == std::min<size_t>(2, left.size()); }));
        auto active = std::find_if(left.begin(), left.end(), [&](const std::string& id) {
            return house.manager->folders().find(id)->queue == spool::Queue::active;
        });
        REQUIRE(active != left.end());
        REQUIRE(house.manager->remove(*active));
        left.erase(active);
    }
    REQUIRE(house.settled());
    house.nursery.cancel();    // its tasks know retry
}
