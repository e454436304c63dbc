// When a deferred recipient is tried again: the rules, read and refused, found and counted.
#include "retry_rules.h"

#include "catch.h"

using namespace qmgr;

TEST_CASE("a rule is found by destination and error", "[qmgr]")
{
    auto rules = RetryRules::parse("# ours\n\njoe@example.org * F,1h,1m\nexample.org\trefused  F,2h,15m; G,16h,1h,1.5\n*.slow.example timeout F,1d,2h # slow\n"
                                   ".odd.example 4.7.* F,1h,2m\n* rcpt_4xx F,30m,5m\n",
                                   "retry");
    struct Case {
        const char *recipient, *status, *text;
        const char* destination;    // of the rule; null: none
    };
    for (const auto& c : {
             Case{"Joe@Example.ORG", "4.0.0", "anything", "joe@example.org"},
             Case{"ann@example.org", "4.4.1", "connect to x[192.0.2.1]:25: Connection refused", "example.org"},
             Case{"ann@example.org", "4.4.1", "connect to x[192.0.2.1]:25: Connection timed out", nullptr},
             Case{"a@b.slow.example", "4.4.1", "conversation with x timed out while receiving", ".slow.example"},
             Case{"a@slow.example", "4.4.1", "timed out", nullptr},
             Case{"a@x.odd.example", "4.7.1", "greylisted", ".odd.example"},
             Case{"a@x.odd.example", "4.2.1", "busy", nullptr},
             Case{"a@elsewhere.example", "4.7.1", "host x[192.0.2.1] said: 450 4.7.1 later (in reply to RCPT TO command)", "*"},
             Case{"", "", "", nullptr},
         }) {
        CAPTURE(c.recipient, c.status, c.text);
        const RetryRule* rule = rules.find(c.recipient, c.status, c.text);
        CHECK((rule ? rule->destination : std::string("none")) == (c.destination ? c.destination : "none"));
    }
}

TEST_CASE("the interval follows the age, and ends", "[qmgr]")
{
    auto rules = RetryRules::parse("* * F,2h,15m; G,16h,1h,2; F,4d,6h", "retry");
    const RetryRule& rule = *rules.find("a@b", "4.0.0", "");
    struct Case {
        int64_t age;
        std::optional<int64_t> next;
    };
    for (const auto& c : {Case{0, 900}, Case{7199, 900}, Case{7200, 7200}, Case{11000, 14400}, Case{40000, 28800}, Case{57600, 21600},
                          Case{345599, 21600}, Case{345600, std::nullopt}, Case{-5, 900}}) {
        CAPTURE(c.age);
        CHECK(next_interval(rule, c.age) == c.next);
    }
}

TEST_CASE("a slip in the rules names its line", "[qmgr]")
{
    for (const char* bad : {"example.org", "* *", "* sometimes F,1h,1m", "* * F,1h", "* * G,1h,1m", "* * F,1h,0s", "* * H,1h,1m", "* * G,1h,1m,0.5",
                            "* * G,1h,1m,x", "* * F,2h,1m; F,1h,1m", "* 5.1.1 F,1h,1m", "* 4.7 F,1h,1m", "\x01\xff", "* * F,1h,1m,2"}) {
        CAPTURE(bad);
        std::string said;
        try {
            RetryRules::parse("\n" + std::string(bad), "retry");
        } catch (const config::Error& slip) {
            said = slip.what();
        }
        CHECK(said.rfind("retry:2: ", 0) == 0);
    }
}
