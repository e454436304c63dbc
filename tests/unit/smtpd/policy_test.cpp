// Policy services: how they are described, what is asked, and what is done when nobody answers.
#include "filters/policy.h"

#include "../async/run_task.h"
#include "../spool/scratch.h"
#include "async/nursery.h"
#include "base/log.h"
#include "base/text.h"
#include "catch.h"
#include "net/listener.h"

namespace {

// Answers each request with the next of its answers; an empty one: it hangs up.
struct FakeService {
    explicit FakeService(const std::string& path) : listening(net::listen_on(net::Address::unix_path(path)))
    {
        auto take = [this](base::Fd fd, net::Address peer) {
            ++connections;
            nursery.start(serve(*this, net::Stream(std::move(fd), peer)));
        };
        nursery.start(net::accept_connections(listening.get(), take));
    }
    static async::Task<> serve(FakeService& self, net::Stream stream)
    {
        std::string request;
        while (true) {
            bool more = stream.has_line();
            if (!more) more = co_await stream.fill_or_end(async::no_limit);
            if (!more) co_return;
            if (!stream.has_line()) continue;
            std::string line(co_await stream.line(async::no_limit, 10000));
            request += line + "\n";
            if (!line.empty()) continue;
            self.requests.push_back(std::exchange(request, {}));
            std::string answer = "action=DUNNO\n\n";
            if (!self.answers.empty()) {
                answer = self.answers.front();
                self.answers.erase(self.answers.begin());
            }
            if (answer.empty()) co_return;
            stream.write(answer);
            co_await stream.flush(async::no_limit);
        }
    }

    base::Fd listening;
    std::vector<std::string> requests, answers;
    int connections = 0;
    async::Nursery nursery{"fake policy service"};
};

struct Asked {
    explicit Asked(const std::string& options = {}) : server(scratch / "policy")
    {
        base::log::open("postfix/smtpd", scratch / "log");
        config = config::Config::parse("smtpd_policy_service_retry_delay = 1s\n", "main.cf");
        auto service = smtpd::read_policy_service(config, "{ unix:" + (scratch / "policy") + ", timeout=1s " + options + " }");
        service.retry_delay = async::Limit(1);
        client.emplace(service);
    }
    ~Asked() { base::log::to_stderr("test"); }
    std::string ask(const std::string& sender = "a@b")
    {
        smtpd::PolicyAttributes attributes{{"request", "smtpd_access_policy"}, {"sender", sender}};
        return run_task(client->ask(std::move(attributes)));
    }
    std::string log() const
    {
        base::log::flush();
        return base::read_file(scratch / "log");
    }

    Scratch scratch;
    FakeService server;
    config::Config config;
    std::optional<smtpd::PolicyClient> client;
};

} // namespace

TEST_CASE("a policy service is described by parameters or in braces", "[smtpd]")
{
    auto config = config::Config::parse("queue_directory = /queue\nsmtpd_policy_service_timeout = 7s\nsmtpd_policy_service_policy_context = all\n", "main.cf");
    auto plain = smtpd::read_policy_service(config, "unix:private/policy");
    CHECK(plain.name == "unix:private/policy");
    CHECK(plain.address == "/queue/private/policy");
    CHECK(plain.timeout == std::chrono::seconds(7));
    CHECK(plain.default_action == "451 4.3.5 Server configuration problem");
    CHECK(plain.try_limit == 2);
    CHECK(plain.context == "all");
    auto own = smtpd::read_policy_service(config, "{ inet:localhost:10023, timeout=10s, default_action=DUNNO policy_context=mx, try_limit=1, { default_action = 450 4.7.1 later } }");
    CHECK(own.address == "inet:localhost:10023");
    CHECK(own.timeout == std::chrono::seconds(10));
    CHECK(own.default_action == "450 4.7.1 later");
    CHECK(own.context == "mx");
    CHECK(own.try_limit == 1);
    for (const char* bad : {"", "localhost:10023", "{ }", "{ inet:x:1, colour=red }", "{ inet:x:1, timeout=soon }", "{ inet:x:1, try_limit=few }", "{ inet:x:1, word }"}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(smtpd::read_policy_service(config, bad), config::Error);
    }
}

TEST_CASE("a connection to a policy service is kept", "[smtpd]")
{
    Asked asked;
    asked.server.answers = {"action=REJECT go away\n\n", "other=x\naction=DUNNO\n\n"};
    CHECK(asked.ask() == "REJECT go away");
    CHECK(asked.ask("x\nrecipient=forged") == "DUNNO");
    CHECK(asked.server.connections == 1);
    CHECK(asked.client->idle_connections() == 1);
    REQUIRE(asked.server.requests.size() == 2);
    CHECK(asked.server.requests[0] == "request=smtpd_access_policy\nsender=a@b\n\n");
    CHECK(asked.server.requests[1] == "request=smtpd_access_policy\nsender=x?recipient=forged\n\n");
}

TEST_CASE("a kept connection that has been closed meanwhile is no failure", "[smtpd]")
{
    Asked asked(", try_limit=1");
    CHECK(asked.ask() == "DUNNO");
    asked.server.answers = {""};
    CHECK(asked.ask() == "DUNNO");
    CHECK(asked.server.connections == 2);
}

TEST_CASE("a connection carries so many requests", "[smtpd]")
{
    Asked asked(", request_limit=1");
    CHECK(asked.ask() == "DUNNO");
    CHECK(asked.ask() == "DUNNO");
    CHECK(asked.server.connections == 2);
}

TEST_CASE("a policy service that fails gives the default action", "[smtpd]")
{
    std::string answer = GENERATE("", "nonsense\n\n", "\n", "action\n\n");
    CAPTURE(answer);
    Asked asked(", default_action=DEFER_IF_PERMIT");
    asked.server.answers = {answer, answer};
    CHECK(asked.ask() == "DEFER_IF_PERMIT");
    CHECK(asked.server.connections == 2);
    CHECK(asked.log().find("warning: problem talking to server unix:") != std::string::npos);
}

TEST_CASE("a policy service that is not there", "[smtpd]")
{
    Asked asked;
    auto service = asked.client->service();
    service.address = "unix:/nowhere/policy";
    smtpd::PolicyClient client(service);
    smtpd::PolicyAttributes attributes;
    CHECK(run_task(client.ask(attributes)) == "451 4.3.5 Server configuration problem");
}
