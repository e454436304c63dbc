// The queue of one delivery agent, against an agent that plays by a script.
#include "transport.h"

#include "../async/run_task.h"
#include "../spool/scratch.h"
#include "base/log.h"
#include "catch.h"
#include "net/listener.h"

using namespace qmgr;

namespace {

struct Agent {
    explicit Agent(const std::string& path) : path(path) { listen(); }
    void listen()
    {
        listening = net::listen_on(net::Address::unix_path(path), 16, SOCK_SEQPACKET);
        nursery.start(net::accept_connections(listening.get(), [this](base::Fd fd, net::Address) {
            ++connections;
            channel = std::make_unique<ipc::Channel>(std::move(fd));
            nursery.start(take(*channel));
        }));
    }
    async::Task<> take(ipc::Channel& from)
    {
        while (true) {
            auto packet = co_await from.receive();
            if (!packet) break;
            jobs.push_back(ipc::unpack<spool::Deliver>(*packet));
            seen.push_back(jobs.back().nexthop);
            most = std::max(most, jobs.size());
        }
    }
    void answer(size_t which, spool::Outcome::Status status = spool::Outcome::delivered, bool down = false)
    {
        spool::Done done;
        done.job = jobs[which].job;
        done.destination_down = down;
        for (const auto& recipient : jobs[which].recipients) {
            spool::Outcome outcome;
            outcome.number = recipient.number;
            outcome.status = status;
            outcome.dsn = down ? "4.4.1" : "2.0.0";
            outcome.text = down ? "connection refused" : "ok";
            done.outcomes.push_back(outcome);
        }
        jobs.erase(jobs.begin() + static_cast<std::ptrdiff_t>(which));
        channel->post(std::move(done));
    }
    void die(bool for_good)
    {
        nursery.cancel();
        channel.reset();
        listening.reset();
        jobs.clear();
        if (!for_good) listen();
    }

    std::string path;
    base::Fd listening;
    std::unique_ptr<ipc::Channel> channel;
    std::vector<spool::Deliver> jobs;           // not yet answered
    std::vector<std::string> seen;              // next hops in the order they came
    size_t most = 0, connections = 0;
    async::Nursery nursery{"agent"};
};

struct House {
    explicit House(TransportLimits limits = {})
    {
        base::log::open("postfix/qmgr", scratch / "log");
        agent = std::make_unique<Agent>(scratch / "agent");
        auto open = [](const Message&) { return base::open_file("/dev/null", O_RDONLY); };
        auto settle = [this](Group& group, const spool::Done& done) {
            settled.push_back(group.nexthop);
            for (const auto& outcome : done.outcomes) {
                statuses.push_back(outcome.status);
                texts.push_back(outcome.text);
            }
        };
        transport = std::make_unique<Transport>("smtp", scratch / "agent", limits, nursery, open, settle);
    }
    ~House()
    {
        nursery.cancel();
        run_rounds(1);
        base::log::flush();
        base::log::to_stderr("test");
    }
    Message& message()
    {
        messages.push_back(std::make_unique<Message>());
        Message& m = *messages.back();
        m.id = "ID" + std::to_string(messages.size());
        m.recipients.resize(2);
        for (uint32_t i = 0; i < 2; ++i) {
            m.recipients[i].recipient.number = i;
            m.recipients[i].recipient.address = "user@example.org";
        }
        return m;
    }
    Message& enqueue(const std::string& destination)
    {
        Message& m = message();
        Group group;
        group.message = &m;
        group.recipients = {0, 1};
        group.nexthop = destination;
        transport->enqueue(destination, std::move(group));
        return m;
    }
    bool agent_has(size_t jobs)
    {
        bool came = run_until([&] { return agent->jobs.size() >= jobs; });
        run_rounds(2);
        return came && agent->jobs.size() == jobs;
    }

    Scratch scratch;
    std::unique_ptr<Agent> agent;
    std::vector<std::unique_ptr<Message>> messages;
    std::vector<std::string> settled, texts;
    std::vector<spool::Outcome::Status> statuses;
    async::Nursery nursery{"transport"};
    std::unique_ptr<Transport> transport;
};

TransportLimits limits(int64_t processes, int64_t initial, int64_t most)
{
    TransportLimits l;
    l.processes = processes;
    l.concurrency.initial = initial;
    l.concurrency.most = most;
    return l;
}

} // namespace

TEST_CASE("a group is delivered and settled", "[qmgr]")
{
    House house;
    Message& m = house.enqueue("example.org");
    CHECK(house.transport->queued() == 1);
    REQUIRE(house.agent_has(1));
    const spool::Deliver& job = house.agent->jobs[0];
    CHECK(job.queue_id == m.id);
    CHECK(job.nexthop == "example.org");
    CHECK(job.recipients.size() == 2);
    CHECK(job.file);
    CHECK(m.recipients[0].state == RecipientState::in_flight);
    CHECK(house.transport->queued() == 0);
    house.agent->answer(0);
    REQUIRE(run_until([&] { return house.settled.size() == 1; }));
    CHECK(house.statuses == std::vector<spool::Outcome::Status>(2, spool::Outcome::delivered));
}

TEST_CASE("destinations take turns", "[qmgr]")
{
    House house(limits(1, 1, 1));
    for (int i = 0; i < 20; ++i) house.enqueue("busy.example");
    for (int i = 0; i < 3; ++i) house.enqueue("small.example");
    house.enqueue("single.example");
    for (int i = 0; i < 24; ++i) {
        REQUIRE(house.agent_has(1));
        house.agent->answer(0);
        REQUIRE(run_until([&] { return house.settled.size() == static_cast<size_t>(i) + 1; }));
    }
    CHECK(house.agent->most == 1);
    // Nobody waits behind all of the busy one's mail.
    std::vector<std::string> first(house.agent->seen.begin(), house.agent->seen.begin() + 7);
    CHECK(std::count(first.begin(), first.end(), "small.example") >= 2);
    CHECK(std::count(first.begin(), first.end(), "single.example") == 1);
}

TEST_CASE("a message to one does not wait behind a long list for the same destination", "[qmgr]")
{
    House house(limits(1, 1, 1));
    Message& list = house.message();
    for (int i = 0; i < 20; ++i) {
        Group group;
        group.message = &list;
        group.recipients = {0};
        group.nexthop = "example.org";
        house.transport->enqueue("example.org", std::move(group));
    }
    Message& single = house.enqueue("example.org");
    REQUIRE(house.agent_has(1));
    house.agent->answer(0);
    REQUIRE(house.agent_has(1));
    std::string second = house.agent->jobs[0].queue_id;
    house.agent->answer(0);
    REQUIRE(house.agent_has(1));
    CHECK((second == single.id || house.agent->jobs[0].queue_id == single.id));
    CHECK(house.transport->withdraw(list) == 18);
}

TEST_CASE("a rate delay lets one delivery go at a time, and waits after each", "[qmgr]")
{
    for (bool whole_transport : {false, true}) {
        CAPTURE(whole_transport);
        TransportLimits slow = limits(100, 1, 1);
        (whole_transport ? slow.transport_rate_delay : slow.destination_rate_delay) = async::Limit(30);
        House house(slow);
        for (int i = 0; i < 2; ++i) house.enqueue("a.example");
        house.enqueue("b.example");
        REQUIRE(house.agent_has(whole_transport ? 1 : 2));
        for (size_t jobs = house.agent->jobs.size(); jobs > 0; --jobs) house.agent->answer(0);
        REQUIRE(run_until([&] { return house.settled.size() >= 1; }));
        REQUIRE(run_until([&] { return house.agent->jobs.size() == 1; }));
    }
}

TEST_CASE("concurrency starts small, grows with success up to its limit", "[qmgr]")
{
    House house(limits(100, 2, 4));
    for (int i = 0; i < 30; ++i) house.enqueue("example.org");
    REQUIRE(house.agent_has(2));
    house.agent->answer(0);
    REQUIRE(house.agent_has(3));
    house.agent->answer(0);
    REQUIRE(house.agent_has(4));
    house.agent->answer(0);
    REQUIRE(house.agent_has(4));
    CHECK(house.agent->most == 4);
}

TEST_CASE("all destinations together keep the limit of processes", "[qmgr]")
{
    House house(limits(3, 2, 5));
    for (int i = 0; i < 10; ++i) house.enqueue("d" + std::to_string(i) + ".example");
    REQUIRE(house.agent_has(3));
    for (size_t done = 1; done <= 10; ++done) {
        house.agent->answer(0);
        REQUIRE(run_until([&] { return house.settled.size() == done; }));
        run_rounds(2);
    }
    CHECK(house.agent->most == 3);
}

TEST_CASE("a destination that is down is left alone for a while, others are not", "[qmgr]")
{
    House house(limits(100, 1, 5));
    for (int i = 0; i < 4; ++i) house.enqueue("down.example");
    house.enqueue("up.example");
    REQUIRE(house.agent_has(2));
    size_t down = house.agent->jobs[0].nexthop == "down.example" ? 0 : 1;
    house.agent->answer(down, spool::Outcome::deferred, true);
    REQUIRE(run_until([&] { return house.settled.size() == 4; }));
    CHECK(house.texts.front() == "delivery temporarily suspended: connection refused");
    house.enqueue("down.example");
    CHECK(house.settled.size() == 5);
    REQUIRE(house.agent_has(1));
    CHECK(house.agent->jobs[0].nexthop == "up.example");
    house.transport->forget_dead_destinations();
    house.enqueue("down.example");
    REQUIRE(house.agent_has(2));
    CHECK(house.statuses.size() == 10);
}

TEST_CASE("one failure among several deliveries at once lowers concurrency only", "[qmgr]")
{
    House house(limits(100, 5, 5));
    for (int i = 0; i < 20; ++i) house.enqueue("example.org");
    REQUIRE(house.agent_has(5));
    house.agent->answer(0, spool::Outcome::deferred, true);
    REQUIRE(run_until([&] { return house.settled.size() == 1; }));
    REQUIRE(house.agent_has(4));
    house.agent->answer(0);
    REQUIRE(house.agent_has(5));
}

TEST_CASE("an agent that dies loses no message", "[qmgr]")
{
    House house;
    Message& a = house.enqueue("a.example");
    house.enqueue("b.example");
    REQUIRE(house.agent_has(2));
    house.agent->answer(1);
    REQUIRE(run_until([&] { return house.settled.size() == 1; }));
    house.agent->die(false);
    REQUIRE(run_until([&] { return house.transport->queued() == 1; }));
    CHECK(a.recipients[0].state == RecipientState::to_do);
    REQUIRE(house.agent_has(1));
    CHECK(house.agent->jobs[0].queue_id == a.id);
    house.agent->answer(0);
    REQUIRE(run_until([&] { return house.settled.size() == 2; }));
    CHECK(house.settled.back() == "a.example");
}

TEST_CASE("an agent that never comes defers what waits for it", "[qmgr]")
{
    House house;
    house.agent->die(true);
    house.enqueue("a.example");
    house.enqueue("b.example");
    REQUIRE(run_until([&] { return house.settled.size() == 2; }));
    CHECK(house.statuses == std::vector<spool::Outcome::Status>(4, spool::Outcome::deferred));
    CHECK(house.texts.back() == "mail transport unavailable: smtp");
    house.agent->listen();
    house.enqueue("a.example");
    REQUIRE(house.agent_has(1));
}

TEST_CASE("nonsense from an agent costs the connection, not the mail", "[qmgr]")
{
    House house;
    house.enqueue("a.example");
    REQUIRE(house.agent_has(1));
    ipc::Packet packet;
    packet.type = spool::Done::type;
    packet.bytes = "x";
    house.agent->channel->send(std::move(packet));
    REQUIRE(run_until([&] { return house.agent->connections == 2; }));
    REQUIRE(run_until([&] { return house.agent->jobs.size() == 2; }));     // the first is forgotten
    spool::Done stranger;
    stranger.job = 999;
    house.agent->channel->post(std::move(stranger));
    run_rounds();
    CHECK(house.settled.empty());
    house.agent->answer(1);
    REQUIRE(run_until([&] { return house.settled.size() == 1; }));
}

TEST_CASE("what is withdrawn is not delivered", "[qmgr]")
{
    House house(limits(1, 1, 1));
    house.enqueue("a.example");
    Message& gone = house.enqueue("a.example");
    house.enqueue("b.example");
    CHECK(house.transport->withdraw(gone) == 1);
    CHECK(house.transport->withdraw(gone) == 0);
    for (size_t i = 1; i <= 2; ++i) {
        REQUIRE(house.agent_has(1));
        CHECK(house.agent->jobs[0].queue_id != gone.id);
        house.agent->answer(0);
        REQUIRE(run_until([&] { return house.settled.size() == i; }));
    }
    CHECK(house.transport->queued() == 0);
}

TEST_CASE("limits come from the transport's own parameters", "[qmgr]")
{
    auto config = config::Config::parse("default_destination_concurrency_limit = 7\nlmtp_destination_recipient_limit = 3\n"
                                        "local_destination_concurrency_limit = 0\ninitial_destination_concurrency = 9\nminimal_backoff_time = 10s\n",
                                        "main.cf");
    CHECK(read_limits(config, "smtp").concurrency.most == 7);
    CHECK(read_limits(config, "smtp").concurrency.initial == 7);
    CHECK(read_limits(config, "lmtp").destination_recipients == 3);
    CHECK(read_limits(config, "local").concurrency.most == read_limits(config, "local").processes);
    CHECK(read_limits(config, "smtp").dead_destination_pause == async::Limit(10000));
}
