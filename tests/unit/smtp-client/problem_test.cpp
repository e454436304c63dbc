// From replies to problems.
#include "catch.h"
#include "problem.h"

using namespace smtp_client;

TEST_CASE("a reply decides between deferred and bounced", "[smtp-client]")
{
    struct Case {
        const char* reply;
        bool permanent;
        const char* dsn;
        const char* text;
    };
    const Case cases[] = {
        {"550 5.1.1 no such user", true, "5.1.1", "host mx[192.0.2.1] said: 550 5.1.1 no such user (in reply to RCPT TO command)"},
        {"450 4.2.0 greylisted", false, "4.2.0", "host mx[192.0.2.1] said: 450 4.2.0 greylisted (in reply to RCPT TO command)"},
        {"554 go away", true, "5.0.0", "host mx[192.0.2.1] said: 554 go away (in reply to RCPT TO command)"},
        {"451 later", false, "4.0.0", "host mx[192.0.2.1] said: 451 later (in reply to RCPT TO command)"},
        {"354 what", false, "4.5.0", "host mx[192.0.2.1] said: 354 what (in reply to RCPT TO command)"},
    };
    for (const auto& each : cases) {
        CAPTURE(each.reply);
        auto problem = refused("mx[192.0.2.1]", *smtp::Reply::parse(each.reply), "RCPT TO command");
        CHECK(problem.permanent() == each.permanent);
        CHECK(problem.dsn == each.dsn);
        CHECK(problem.text == each.text);
    }
}

TEST_CASE("a refused greeting is not the end", "[smtp-client]")
{
    auto problem = softened(refused_to_talk("mx[192.0.2.1]", *smtp::Reply::parse("554 5.7.1 no")));
    CHECK_FALSE(problem.permanent());
    CHECK(problem.dsn == "4.7.1");
    CHECK(problem.text == "host mx[192.0.2.1] refused to talk to me: 554 5.7.1 no");
}

TEST_CASE("a reply cannot forge a line of the log", "[smtp-client]")
{
    smtp::Reply reply;
    reply.code = 550;
    reply.text = "a\x01\nb";
    auto problem = refused("mx", reply, "RCPT TO command");
    for (char c : problem.text) CHECK(static_cast<unsigned char>(c) >= ' ');
}
