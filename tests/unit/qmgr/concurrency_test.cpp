// How many deliveries at once: the feedback of SCHEDULER_README, in words and in effect.
#include "concurrency.h"

#include "catch.h"

using namespace qmgr;

TEST_CASE("feedback is a number, or one divided by the concurrency or its root", "[qmgr]")
{
    struct Case {
        const char* text;
        double at_4;
    };
    for (const auto& c : {Case{"1", 1}, Case{"0.5", 0.5}, Case{"1/4", 0.25}, Case{"1 / concurrency", 0.25}, Case{"1/sqrt_concurrency", 0.5}, Case{"0", 0}}) {
        CAPTURE(c.text);
        CHECK(parse_feedback("x", c.text).of(4) == Approx(c.at_4));
    }
    for (const char* bad : {"", "x", "1/x", "-1", "1/0", "2", "1/concurrency/2", "nan", "1 1"}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(parse_feedback("x", bad), config::Error);
    }
}

TEST_CASE("the window grows and shrinks by feedback", "[qmgr]")
{
    ConcurrencyRules rules;
    rules.initial = 2;
    rules.most = 4;
    rules.positive = parse_feedback("x", "1/2");
    rules.negative = parse_feedback("x", "1");
    rules.failed_cohorts = 10;
    Concurrency window(rules);
    window.succeeded(1);
    CHECK(window.window() == 2);
    window.succeeded(1);
    CHECK(window.window() == 3);
    // A destination that is hardly used learns nothing.
    for (int i = 0; i < 10; ++i) window.succeeded(0);
    CHECK(window.window() == 3);
    for (int i = 0; i < 10; ++i) window.succeeded(3);
    CHECK(window.window() == 4);
    CHECK_FALSE(window.failed(3));
    CHECK(window.window() == 3);
    for (int i = 0; i < 5; ++i) CHECK_FALSE(window.failed(3));
    CHECK(window.window() == 1);
}

TEST_CASE("a destination is dead after so many windows of failures in a row", "[qmgr]")
{
    ConcurrencyRules rules;
    rules.initial = 5;
    rules.negative.amount = 0;
    Concurrency window(rules);
    for (int i = 0; i < 4; ++i) CHECK_FALSE(window.failed(4));
    CHECK(window.failed(4));
    window.start_again(5);
    for (int i = 0; i < 4; ++i) CHECK_FALSE(window.failed(4));
    window.succeeded(4);
    CHECK_FALSE(window.failed(4));
    rules.failed_cohorts = 0;
    Concurrency never(rules);
    for (int i = 0; i < 100; ++i) CHECK_FALSE(never.failed(4));
}
