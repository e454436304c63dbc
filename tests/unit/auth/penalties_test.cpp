// penalties_test: how long an address that guesses has to wait.
#include "catch.h"
#include "penalties.h"

#include <fmt/format.h>

using namespace auth;
using std::chrono::seconds;

TEST_CASE("each failure doubles the wait", "[auth]")
{
    Penalties penalties;
    base::Steady now = base::steady_now();
    CHECK(penalties.wait("192.0.2.1", now) == seconds(0));
    size_t guess = 0;
    for (int expected : {2, 4, 8, 15, 15}) {
        penalties.failed("192.0.2.1", ++guess, now);
        CHECK(penalties.wait("192.0.2.1", now) == seconds(expected));
    }
    CHECK(penalties.wait("192.0.2.1", now + seconds(10)) == seconds(5)); // the time between counts
    CHECK(penalties.wait("192.0.2.1", now + seconds(20)) == seconds(0));
    CHECK(penalties.wait("192.0.2.2", now) == seconds(0));
    penalties.succeeded("192.0.2.1");
    CHECK(penalties.wait("192.0.2.1", now) == seconds(0));
    CHECK(penalties.size() == 0);
}

TEST_CASE("the same guess again is none", "[auth]")
{
    Penalties penalties;
    base::Steady now = base::steady_now();
    for (int i = 0; i < 5; ++i) penalties.failed("192.0.2.1", 7, now);
    CHECK(penalties.wait("192.0.2.1", now) == seconds(2));
}

TEST_CASE("whose penalty it is", "[auth]")
{
    struct Case {
        const char* failed;
        const char* asks;
        bool waits;
    };
    const Case cases[] = {
        {"192.0.2.1", "::ffff:192.0.2.1", true},
        {"2001:db8:1:2::3", "2001:db8:1:ffff::4", true},
        {"2001:db8:1::3", "2001:db8:2::3", false},
        {"127.0.0.1", "127.0.0.1", false},
        {"::1", "::1", false},
        {"", "", false},
        {"nonsense", "nonsense", false},
    };
    for (const auto& each : cases) {
        CAPTURE(each.failed, each.asks);
        Penalties penalties;
        base::Steady now = base::steady_now();
        penalties.failed(each.failed, 1, now);
        CHECK((penalties.wait(each.asks, now) > base::Duration::zero()) == each.waits);
    }
}

TEST_CASE("penalties are forgotten, and never too many", "[auth]")
{
    Penalties penalties;
    base::Steady now = base::steady_now();
    penalties.failed("192.0.2.1", 1, now);
    CHECK(penalties.wait("192.0.2.1", now + std::chrono::hours(1)) == seconds(0));
    CHECK(penalties.size() == 0);
    for (int i = 0; i < 21'000; ++i) penalties.failed(fmt::format("10.1.{}.{}", i / 256, i % 256), 1, now);
    CHECK(penalties.size() == 20'000);
}
