// What all delivery agents share: the conversation with the queue manager, and the delivery line of the log.
#include "spool/agent.h"

#include "../async/run_task.h"
#include "base/log.h"
#include "base/text.h"
#include "catch.h"
#include "scratch.h"

using namespace spool;

namespace {

Deliver job(uint64_t number, int recipients = 1)
{
    Deliver d;
    d.job = number;
    d.queue_id = "4gBqk9x1yZbz1f";
    d.arrival = d.active = std::chrono::duration_cast<std::chrono::microseconds>(base::wall_now().time_since_epoch()).count();
    for (int i = 0; i < recipients; ++i) {
        Recipient r;
        r.number = static_cast<uint32_t>(10 + i);
        r.address = "user" + std::to_string(i) + "@example.org";
        d.recipients.push_back(r);
    }
    return d;
}

// What is written to the log meanwhile.
std::string logged(const Scratch& scratch, const std::function<void()>& work)
{
    base::log::open("postfix/local", scratch / "log");
    work();
    base::log::flush();
    base::log::to_stderr("test");
    return base::read_file(scratch / "log");
}

async::Task<Done> all_delivered(const Deliver& job)
{
    co_await async::Yield();
    co_return same_for_all(job, Outcome::delivered, "2.0.0", "delivered to maildir", "local", Timing{});
}

async::Task<Done> fails(const Deliver& job)
{
    co_await async::Yield();
    if (job.job % 2 == 1) throw std::runtime_error("out of order");
    co_return same_for_all(job, Outcome::bounced, "5.1.1", "unknown user", "local", Timing{});
}

struct Ends {
    Ends()
    {
        ipc::Pair pair = ipc::make_pair();
        manager.emplace(std::move(pair.ours));
        agent.emplace(std::move(pair.theirs));
    }
    std::optional<ipc::Channel> manager, agent;
};

std::vector<Done> answers(ipc::Channel& channel, size_t count)
{
    std::vector<Done> found;
    run_until([&] {
        ipc::Packet packet;
        while (channel.try_receive(packet)) found.push_back(ipc::unpack<Done>(packet));
        return found.size() >= count || channel.at_end();
    });
    return found;
}

} // namespace

TEST_CASE("deliveries are answered, each with its number", "[spool]")
{
    Scratch scratch;
    std::string log = logged(scratch, [] {
        async::Nursery nursery("test");
        Ends ends;
        nursery.start(serve_queue_manager(std::move(*ends.agent), nursery, all_delivered));
        for (uint64_t i = 1; i <= 20; ++i) ends.manager->post(job(i, 2));
        auto found = answers(*ends.manager, 20);
        REQUIRE(found.size() == 20);
        for (const auto& done : found) {
            REQUIRE(done.outcomes.size() == 2);
            CHECK(done.outcomes[0].number == 10);
            CHECK(done.outcomes[1].number == 11);
            CHECK(done.outcomes[1].status == Outcome::delivered);
        }
        ends.manager.reset();
        CHECK(run_until([&] { return nursery.size() == 0; }));
    });
    CHECK(base::split_exact(log, '\n').size() == 41);
    CHECK(log.find("4gBqk9x1yZbz1f: to=<user1@example.org>, relay=local, delay=0") != std::string::npos);
    CHECK(log.find(", dsn=2.0.0, status=sent (delivered to maildir)\n") != std::string::npos);
}

TEST_CASE("a delivery that throws defers its recipients and harms no other", "[spool]")
{
    Scratch scratch;
    std::string log = logged(scratch, [] {
        async::Nursery nursery("test");
        Ends ends;
        nursery.start(serve_queue_manager(std::move(*ends.agent), nursery, fails));
        for (uint64_t i = 1; i <= 4; ++i) ends.manager->post(job(i));
        auto found = answers(*ends.manager, 4);
        REQUIRE(found.size() == 4);
        for (const auto& done : found) {
            REQUIRE(done.outcomes.size() == 1);
            CHECK(done.outcomes[0].status == (done.job % 2 == 1 ? Outcome::deferred : Outcome::bounced));
            CHECK(done.outcomes[0].dsn == (done.job % 2 == 1 ? "4.3.0" : "5.1.1"));
        }
        ends.manager.reset();
        run_until([&] { return nursery.size() == 0; });
    });
    CHECK(log.find("status=deferred (mail system trouble: out of order)") != std::string::npos);
    CHECK(log.find("status=bounced (unknown user)") != std::string::npos);
}

TEST_CASE("a delivery whose queue manager has gone goes on to its end", "[spool]")
{
    Scratch scratch;
    std::string log = logged(scratch, [] {
        async::Nursery nursery("test");
        Ends ends;
        ends.manager->post(job(1));
        ends.manager.reset();
        nursery.start(serve_queue_manager(std::move(*ends.agent), nursery, all_delivered));
        CHECK(run_until([&] { return nursery.size() == 0; }));
    });
    CHECK(log.find("status=sent (delivered to maildir)") != std::string::npos);
}

TEST_CASE("a queue manager that talks nonsense is hung up on", "[spool]")
{
    Scratch scratch;
    std::string log = logged(scratch, [] {
        async::Nursery nursery("test");
        Ends ends;
        nursery.start(serve_queue_manager(std::move(*ends.agent), nursery, all_delivered));
        ipc::Packet packet;
        packet.type = Deliver::type;
        packet.bytes = "nonsense";
        ends.manager->send(std::move(packet));
        CHECK(answers(*ends.manager, 1).empty());
        CHECK(ends.manager->at_end());
        CHECK(run_until([&] { return nursery.size() == 0; }));
    });
    CHECK(log.find("warning: queue manager: malformed message") != std::string::npos);
}

TEST_CASE("the delivery line has Postfix's form", "[spool]")
{
    struct Case {
        double before_queue, queue, setup;      // seconds
        const char* delays;                     // the first three of delays=
    };
    // Two significant digits, and no more than hundredths.
    Case cases[] = {
        {0, 0, 0, "0/0/0"},
        {0.004, 0.05, 0.5, "0/0.05/0.5"},
        {0.123, 0.999, 1.04, "0.12/1/1"},
        {1.26, 2.5, 9.94, "1.3/2.5/9.9"},
        {9.96, 12.4, 99.4, "10/12/99"},
        {100.4, 3600, 432000, "100/3600/432000"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.delays);
        Scratch scratch;
        std::string log = logged(scratch, [&] {
            Deliver d = job(1);
            auto now = base::wall_now();
            auto past = [](double seconds) { return std::chrono::microseconds(static_cast<int64_t>(seconds * 1e6)); };
            Timing timing;
            timing.connected = now;
            timing.started = now - past(c.setup);
            d.active = std::chrono::duration_cast<std::chrono::microseconds>((timing.started - past(c.queue)).time_since_epoch()).count();
            d.arrival = d.active - past(c.before_queue).count();
            d.recipients[0].original = "Alias@example.org";
            Outcome outcome;
            outcome.status = Outcome::deferred;
            outcome.dsn = "4.4.1";
            outcome.text = "connect to mx[192.0.2.1]:25: Connection refused";
            log_delivery(d, d.recipients[0], outcome, "mx[192.0.2.1]:25", timing, 3);
        });
        auto at = log.find("delays=");
        REQUIRE(at != std::string::npos);
        CHECK(log.substr(at + 7, std::string(c.delays).size() + 1) == std::string(c.delays) + "/");
        CHECK(log.find(": to=<user0@example.org>, orig_to=<Alias@example.org>, relay=mx[192.0.2.1]:25, conn_use=3, delay=") != std::string::npos);
        CHECK(log.find(", dsn=4.4.1, status=deferred (connect to mx[192.0.2.1]:25: Connection refused)\n") != std::string::npos);
    }
}

TEST_CASE("a clock that went backwards makes no negative delay", "[spool]")
{
    Scratch scratch;
    std::string log = logged(scratch, [] {
        Deliver d = job(1);
        d.arrival += 3'600'000'000;
        Outcome outcome;
        outcome.text = "x\ny";
        log_delivery(d, d.recipients[0], outcome, "none", Timing{});
    });
    CHECK(log.find("delay=0, delays=0/") != std::string::npos);
    CHECK(log.find("(x?y)\n") != std::string::npos);
}

TEST_CASE("of a probe the log says whether mail could be delivered", "[spool]")
{
    struct Case {
        Outcome::Status status;
        std::string word;
    };
    for (const auto& c : {Case{Outcome::delivered, "status=deliverable (x)"}, Case{Outcome::handed_on, "status=deliverable (x)"},
                          Case{Outcome::deferred, "status=undeliverable (x)"}, Case{Outcome::bounced, "status=undeliverable (x)"}}) {
        Scratch scratch;
        Deliver probe = job(1);
        probe.probe = true;
        std::string line = logged(scratch, [&] { same_for_all(probe, c.status, "2.0.0", "x", "none", Timing{}); });
        CHECK(line.find(c.word) != std::string::npos);
    }
}
