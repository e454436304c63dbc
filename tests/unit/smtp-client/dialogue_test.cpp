// Whole dialogues with a server that plays by the book.
#include "catch.h"
#include "mail_server.h"

using namespace testing;
using namespace smtp_client;

namespace {

const Dialogue hello = {"> 220 mx ESMTP", "< EHLO here.test", "> 250-mx.test", "> 250-PIPELINING", "> 250-SIZE 1000000", "> 250-8BITMIME",
                        "> 250 ENHANCEDSTATUSCODES"};
const Dialogue plain_hello = {"> 220 mx ESMTP", "< EHLO here.test", "> 250 mx.test"};
const Dialogue one_mail = {"< MAIL FROM:<me@here.test> SIZE=21", "< RCPT TO:<a@x.test>", "< DATA", "> 250 2.1.0 ok", "> 250 2.1.5 ok", "> 354 go",
                           "<data", "> 250 2.0.0 Ok: queued as 1"};

Dialogue operator+(Dialogue a, const Dialogue& b)
{
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

struct Play {
    explicit Play(std::vector<Dialogue> dialogues, Settings settings = settings_for_tests()) : server(std::move(dialogues)), sender(std::move(settings)) {}
    std::string send(const std::vector<std::string>& recipients, const std::string& content = "Subject: x\r\n\r\nhello\r\n", uint32_t flags = 0)
    {
        auto job = job_for(server.nexthop(), recipients, content);
        job.content_flags = flags;
        done = sender.send(job);
        CHECK(done.outcomes.size() == recipients.size());
        settle_connections();
        return text_of(done);
    }
    MailServer server;
    Sender sender;
    spool::Done done;
};

} // namespace

TEST_CASE("a message is delivered in one group of commands", "[smtp-client]")
{
    Play play({hello + one_mail});
    CHECK(play.send({"a@x.test"}) == "delivered 2.0.0 250 2.0.0 Ok: queued as 1");
    CHECK(play.server.fault.empty());
    CHECK(play.server.contents == std::vector<std::string>{"Subject: x\n\nhello\n"});
    CHECK_FALSE(play.done.destination_down);
    CHECK(play.done.outcomes[0].remote == "127.0.0.1[127.0.0.1]:" + std::to_string(play.server.port));
}

TEST_CASE("without PIPELINING each command waits", "[smtp-client]")
{
    Play play({plain_hello + Dialogue{"< MAIL FROM:<me@here.test>", "> 250 ok", "< RCPT TO:<a@x.test>", "> 250 ok", "< RCPT TO:<b@x.test>", "> 250 ok",
                                      "< DATA", "> 354 go", "<data", "> 250 Ok"}});
    CHECK(play.send({"a@x.test", "b@x.test"}) == "delivered 2.0.0 250 Ok|delivered 2.0.0 250 Ok");
    CHECK(play.server.fault.empty());
    CHECK(play.done.outcomes[1].action == "relayed");
}

TEST_CASE("a server that knows only HELO", "[smtp-client]")
{
    Play play({{"> 220 old", "< EHLO here.test", "> 500 what?", "< HELO here.test", "> 250 old", "< MAIL FROM:<me@here.test>", "> 250 ok",
                "< RCPT TO:<a@x.test>", "> 250 ok", "< DATA", "> 354 go", "<data", "> 250 Ok"}});
    CHECK(play.send({"a@x.test"}) == "delivered 2.0.0 250 Ok");
    CHECK(play.server.fault.empty());
}

TEST_CASE("EHLO is said where the greeting or main.cf wants it", "[smtp-client]")
{
    const Dialogue rest = {"< MAIL FROM:<me@here.test>", "> 250 ok", "< RCPT TO:<a@x.test>", "> 250 ok", "< DATA", "> 354 go", "<data", "> 250 Ok"};
    auto settings = settings_for_tests();
    settings.always_ehlo = false;
    Play silent({Dialogue{"> 220 mx", "< HELO here.test", "> 250 mx"} + rest}, settings);
    CHECK(silent.send({"a@x.test"}) == "delivered 2.0.0 250 Ok");
    Play loud({plain_hello + rest}, settings);
    CHECK(loud.send({"a@x.test"}) == "delivered 2.0.0 250 Ok");
    settings.never_ehlo = true;
    Play never({Dialogue{"> 220 mx ESMTP", "< HELO here.test", "> 250 mx"} + rest}, settings);
    CHECK(never.send({"a@x.test"}) == "delivered 2.0.0 250 Ok");
    CHECK(silent.server.fault + loud.server.fault + never.server.fault == "");
    Play refused({{"> 220 mx", "< EHLO here.test", "> 451 no", "< HELO here.test", "> 550 5.7.1 never", "< QUIT"}});
    CHECK(refused.send({"a@x.test"}) == "bounced 5.7.1 host HOST refused to talk to me: 550 5.7.1 never");
    CHECK(refused.server.fault == "");
}

TEST_CASE("a PIX hides the greeting, and is treated with care once mail has waited", "[smtp-client]")
{
    const Dialogue rest = {"< MAIL FROM:<me@here.test>", "> 250 ok", "< RCPT TO:<a@x.test>", "> 250 ok", "< DATA", "> 354 go", "<data", "> 250 Ok"};
    auto settings = settings_for_tests();
    settings.pix_workarounds = "disable_esmtp,delay_dotcrlf";
    settings.pix_delay = async::Limit(20);
    Play pix({Dialogue{"> 220 *****2******0*****", "< HELO here.test", "> 250 mx"} + rest}, settings);
    auto job = job_for(pix.server.nexthop(), {"a@x.test"});
    job.active = job.arrival + 600'000'000;
    CHECK(text_of(pix.sender.send(job)) == "delivered 2.0.0 250 Ok");
    CHECK(pix.server.contents == std::vector<std::string>{"Subject: x\n\nhello\n"});
    Play young({Dialogue{"> 220 ****", "< EHLO here.test", "> 250 mx"} + rest}, settings);
    CHECK(young.send({"a@x.test"}) == "delivered 2.0.0 250 Ok");
    CHECK(pix.server.fault + young.server.fault == "");
}

TEST_CASE("content must come at a rate where that is asked for", "[smtp-client]")
{
    auto settings = settings_for_tests();
    settings.whole_request_deadline = true;
    settings.data_xfer_timeout = async::Limit(50);
    settings.least_data_rate = 1 << 30;
    settings.line_limit = 0;
    Dialogue roomy = hello;
    roomy[4] = "> 250-SIZE 0";
    Play stuck({roomy + Dialogue{"< MAIL FROM:<me@here.test> SIZE=20971520", "< RCPT TO:<a@x.test>", "< DATA", "> 250 ok", "> 250 ok", "> 354 go"}}, settings);
    stuck.server.hold = true;
    CHECK(stuck.send({"a@x.test"}, std::string(20 << 20, 'x'), spool::content_no_final_newline) ==
          "deferred 4.4.2 conversation with HOST timed out while sending message body");
}

TEST_CASE("some recipients are refused, the others get the message", "[smtp-client]")
{
    Play play({hello + Dialogue{"< MAIL FROM:<me@here.test> SIZE=21", "< RCPT TO:<a@x.test>", "< RCPT TO:<b@x.test>", "< RCPT TO:<c@x.test>", "< DATA",
                                "> 250 2.1.0 ok", "> 550 5.1.1 unknown", "> 250 2.1.5 ok", "> 450 4.2.1 later", "> 354 go", "<data", "> 250 2.0.0 Ok"}});
    CHECK(play.send({"a@x.test", "b@x.test", "c@x.test"}) ==
          "bounced 5.1.1 host HOST said: 550 5.1.1 unknown (in reply to RCPT TO command)|delivered 2.0.0 250 2.0.0 Ok|"
          "deferred 4.2.1 host HOST said: 450 4.2.1 later (in reply to RCPT TO command)");
    CHECK(play.server.fault.empty());
}

TEST_CASE("nobody is accepted, and yet DATA is agreed to", "[smtp-client]")
{
    Play play({hello + Dialogue{"< MAIL FROM:<me@here.test> SIZE=21", "< RCPT TO:<a@x.test>", "< DATA", "> 250 2.1.0 ok", "> 550 5.1.1 unknown",
                                "> 354 go", "<data", "> 554 5.5.1 no recipients", "< RSET", "< MAIL FROM:<me@here.test> SIZE=21", "< RCPT TO:<a@x.test>",
                                "< DATA", "> 250 reset", "> 250 ok", "> 250 ok", "> 354 go", "<data", "> 250 2.0.0 Ok"}});
    CHECK(play.send({"a@x.test"}) == "bounced 5.1.1 host HOST said: 550 5.1.1 unknown (in reply to RCPT TO command)");
    CHECK(play.server.contents == std::vector<std::string>{""});
    CHECK(play.send({"a@x.test"}) == "delivered 2.0.0 250 2.0.0 Ok");
    CHECK(play.server.fault.empty());
    CHECK(play.server.connections == 1);
}

TEST_CASE("each step may be refused", "[smtp-client]")
{
    struct Case {
        Dialogue after_hello;
        const char* outcome;
    };
    const Dialogue group = {"< MAIL FROM:<me@here.test> SIZE=21", "< RCPT TO:<a@x.test>", "< DATA"};
    const Case cases[] = {
        {group + Dialogue{"> 553 5.1.8 bad sender", "> 503 5.5.1 no", "> 503 5.5.1 no"},
         "bounced 5.1.8 host HOST said: 553 5.1.8 bad sender (in reply to MAIL FROM command)"},
        {group + Dialogue{"> 451 4.3.0 later", "> 503 5.5.1 no", "> 503 5.5.1 no"},
         "deferred 4.3.0 host HOST said: 451 4.3.0 later (in reply to MAIL FROM command)"},
        {group + Dialogue{"> 250 ok", "> 552 5.5.3 too many", "> 503 5.5.1 no"},
         "deferred 4.5.3 host HOST said: 452 5.5.3 too many (in reply to RCPT TO command)"},
        {group + Dialogue{"> 250 ok", "> 250 ok", "> 554 5.7.0 not today"},
         "bounced 5.7.0 host HOST said: 554 5.7.0 not today (in reply to DATA command)"},
        {group + Dialogue{"> 250 ok", "> 250 ok", "> 354 go", "<data", "> 554 5.7.1 spam"},
         "bounced 5.7.1 host HOST said: 554 5.7.1 spam (in reply to end of DATA command)"},
        {group + Dialogue{"> 250 ok", "> 250 ok", "> 354 go", "<data", "> 452 4.3.1 full"},
         "deferred 4.3.1 host HOST said: 452 4.3.1 full (in reply to end of DATA command)"},
    };
    for (const auto& each : cases) {
        CAPTURE(each.outcome);
        Play play({hello + each.after_hello});
        CHECK(play.send({"a@x.test"}) == each.outcome);
        CHECK(play.server.fault.empty());
    }
}

TEST_CASE("the server may go at each step", "[smtp-client]")
{
    struct Case {
        Dialogue dialogue;
        const char* outcome;
        bool down;
    };
    const Dialogue group = {"< MAIL FROM:<me@here.test> SIZE=21", "< RCPT TO:<a@x.test>", "< DATA"};
    const Case cases[] = {
        {{"close"}, "deferred 4.4.2 lost connection with HOST while receiving the initial server greeting", true},
        {{"> 421 4.3.2 busy"}, "deferred 4.3.2 host HOST refused to talk to me: 421 4.3.2 busy", true},
        {{"> 554 5.7.1 go away"}, "deferred 4.7.1 host HOST refused to talk to me: 554 5.7.1 go away", true},
        {{"> 220 hi", "< EHLO here.test", "close"}, "deferred 4.4.2 lost connection with HOST while performing the EHLO handshake", true},
        {{"> 220 hi", "< EHLO here.test", "> 421 bye"}, "deferred 4.0.0 host HOST refused to talk to me: 421 bye", true},
        {hello + Dialogue{"< MAIL FROM:<me@here.test> SIZE=21", "close"}, "deferred 4.4.2 lost connection with HOST while sending MAIL FROM", false},
        {hello + group + Dialogue{"> 250 ok", "close"}, "deferred 4.4.2 lost connection with HOST while sending RCPT TO", false},
        {hello + group + Dialogue{"> 250 ok", "> 250 ok", "close"}, "deferred 4.4.2 lost connection with HOST while sending DATA command", false},
        {hello + group + Dialogue{"> 250 ok", "> 421 4.7.0 enough", "close"},
         "deferred 4.7.0 host HOST said: 421 4.7.0 enough (in reply to RCPT TO command)", false},
        {hello + group + Dialogue{"> 250 ok", "> 250 ok", "> 354 go", "<data", "close"},
         "deferred 4.4.2 lost connection with HOST while sending end of data -- message may be sent more than once", false},
        {hello + group + Dialogue{"> 250 ok", "> 250 ok", "> 354 go", "<data", "> 250-half", "close"},
         "deferred 4.4.2 lost connection with HOST while sending end of data -- message may be sent more than once", false},
    };
    for (const auto& each : cases) {
        CAPTURE(each.outcome);
        Play play({each.dialogue});
        CHECK(play.send({"a@x.test"}) == each.outcome);
        CHECK(play.done.destination_down == each.down);
    }
}

TEST_CASE("a server that says nothing is left in time", "[smtp-client]")
{
    auto settings = settings_for_tests();
    settings.helo_timeout = async::Limit(30);
    settings.data_done_timeout = async::Limit(30);
    Play silent({{"<close"}}, settings);
    CHECK(silent.send({"a@x.test"}) == "deferred 4.4.2 conversation with HOST timed out while receiving the initial server greeting");
    Play slow({hello + Dialogue{"< MAIL FROM:<me@here.test> SIZE=21", "< RCPT TO:<a@x.test>", "< DATA", "> 250 ok", "> 250 ok", "> 354 go", "<data", "<close"}},
              settings);
    CHECK(slow.send({"a@x.test"}) ==
          "deferred 4.4.2 conversation with HOST timed out while sending end of data -- message may be sent more than once");
}

TEST_CASE("nonsense in place of a reply", "[smtp-client]")
{
    Play play({{"> HTTP/1.1 400 Bad Request", "<close"}});
    auto text = play.send({"a@x.test"});
    CHECK(text.find("deferred 4.5.0 Protocol error: host HOST said: ") == 0);
}

TEST_CASE("nobody listens", "[smtp-client]")
{
    uint16_t port;
    {
        MailServer gone({});
        port = gone.port;
    }
    Sender sender;
    auto done = sender.send(job_for("[127.0.0.1]:" + std::to_string(port), {"a@x.test"}));
    CHECK(text_of(done) == "deferred 4.4.1 connect to HOST:" + std::to_string(port) + ": Connection refused");
    CHECK(done.destination_down);
}

TEST_CASE("content goes out with dots, long lines and its end right", "[smtp-client]")
{
    struct Case {
        std::string content;
        uint32_t flags;
        std::string wire;
    };
    std::string long_line(1500, 'x');
    const Case cases[] = {
        {"", 0, ""},
        {"a\r\n", 0, "a\n"},
        {".\r\n..\r\n.a\r\na.\r\n", spool::content_dot_lines, "..\n...\n..a\na.\n"},
        {"a\r\n\r\nno end", spool::content_no_final_newline, "a\n\nno end\n"},
        {"a\r\n\r\nno end, and no flag", 0, "a\n\nno end, and no flag\n"},
        {long_line + "\r\n", spool::content_long_lines, long_line.substr(0, 998) + "\n " + long_line.substr(998) + "\n"},
        {long_line + "\r\n", 0, long_line + "\n"},
    };
    for (const auto& each : cases) {
        CAPTURE(each.content.substr(0, 40), each.flags);
        auto mail = one_mail;
        mail[0] = "< MAIL FROM:<me@here.test> SIZE=" + std::to_string(each.content.size());
        Play play({hello + mail});
        CHECK(play.send({"a@x.test"}, each.content, each.flags).find("delivered") == 0);
        CHECK(play.server.fault.empty());
        REQUIRE(play.server.contents.size() == 1);
        CHECK(play.server.contents[0] == each.wire);
    }
}

TEST_CASE("large content goes out whole, with dots anywhere", "[smtp-client]")
{
    for (uint32_t flags : {0u, uint32_t(spool::content_dot_lines)}) {
        std::string content, wire;
        for (int i = 0; content.size() < 700'000; ++i) {
            std::string line = flags && i % 7 == 0 ? "." : "l";
            line += std::to_string(i) + std::string(static_cast<size_t>(i % 90), 'x');
            content += line + "\r\n";
            wire += (line[0] == '.' ? "." : "") + line + "\n";
        }
        auto mail = one_mail;
        mail[0] = "< MAIL FROM:<me@here.test> SIZE=" + std::to_string(content.size());
        Play play({hello + mail});
        CHECK(play.send({"a@x.test"}, content, flags).find("delivered") == 0);
        CHECK(play.server.fault.empty());
        REQUIRE(play.server.contents.size() == 1);
        CHECK((play.server.contents[0] == wire));
    }
}

TEST_CASE("a server that hangs up in the middle of the content is heard out", "[smtp-client]")
{
    std::string content(20 << 20, 'x');
    Dialogue roomy = hello;
    roomy[4] = "> 250-SIZE 0";
    Play play({roomy + Dialogue{"< MAIL FROM:<me@here.test> SIZE=20971520", "< RCPT TO:<a@x.test>", "< DATA", "> 250 ok", "> 250 ok", "> 354 go",
                                "> 552 5.3.4 too much", "close"}});
    auto job = job_for(play.server.nexthop(), {"a@x.test"}, content);
    job.content_flags = spool::content_no_final_newline;
    play.sender.agent.context.settings.line_limit = 0;
    auto text = text_of(play.sender.send(job));
    // The reply may be lost with the connection: then nothing is known, and the message stays.
    bool heard = text == "bounced 5.3.4 host HOST said: 552 5.3.4 too much (in reply to end of DATA command)";
    bool lost = text == "deferred 4.4.2 lost connection with HOST while sending message body";
    CAPTURE(text);
    CHECK((heard || lost));
}

TEST_CASE("what the server cannot take is not offered to it", "[smtp-client]")
{
    Play large({hello + Dialogue{"<close"}});
    auto job = job_for(large.server.nexthop(), {"a@x.test"});
    job.content_length = 2000000;
    CHECK(text_of(large.sender.send(job)) == "bounced 5.3.4 message size 2000000 exceeds size limit 1000000 of server HOST");

    Play utf8({hello + Dialogue{"<close"}});
    CHECK(utf8.send({"\xc3\xbc@x.test"}) == "bounced 5.6.7 SMTPUTF8 is required, but was not offered by host HOST");

    Play control({hello + one_mail});
    CHECK(control.send({"a\r\nRCPT TO:<evil@x.test>@x.test", "a@x.test"}) == "bounced 5.1.3 bad address syntax|delivered 2.0.0 250 2.0.0 Ok: queued as 1");
    CHECK(control.server.fault.empty());
}

TEST_CASE("SMTPUTF8 is used only where it is needed and known", "[smtp-client]")
{
    const Dialogue utf8_hello = {"> 220 mx", "< EHLO here.test", "> 250-mx.test", "> 250-PIPELINING", "> 250-8BITMIME", "> 250 SMTPUTF8"};
    Play play({utf8_hello + Dialogue{"< MAIL FROM:<me@here.test> BODY=8BITMIME SMTPUTF8", "< RCPT TO:<\xc3\xbc@x.test>", "< DATA", "> 250 ok", "> 250 ok",
                                     "> 354 go", "<data", "> 250 Ok"}});
    CHECK(play.send({"\xc3\xbc@x.test"}, "a\xff\r\n", spool::content_8bit).find("delivered") == 0);
    CHECK(play.server.fault.empty());
    // It was asked for, but nothing needs it: an old server will do.
    Play old({hello + one_mail});
    CHECK(old.send({"a@x.test"}, "Subject: x\r\n\r\nhello\r\n", spool::content_utf8).find("delivered") == 0);
    CHECK(old.server.fault.empty());
}

TEST_CASE("DSN parameters are handed on", "[smtp-client]")
{
    Dialogue dsn_hello = hello;
    dsn_hello.back() = "> 250 DSN";
    Play play({dsn_hello + Dialogue{"< MAIL FROM:<me@here.test> SIZE=21 ENVID=id+2B1 RET=HDRS", "< RCPT TO:<a@x.test> ORCPT=rfc822;x+2By@z NOTIFY=SUCCESS,DELAY",
                                "< DATA", "> 250 ok", "> 250 ok", "> 354 go", "<data", "> 250 Ok"}});
    auto job = job_for(play.server.nexthop(), {"a@x.test"});
    job.ret = "HDRS";
    job.envid = "id+1";
    job.recipients[0].notify = spool::notify_success | spool::notify_delay;
    job.recipients[0].dsn_original = "rfc822;x+y@z";
    auto done = play.sender.send(job);
    CHECK(text_of(done).find("delivered") == 0);
    CHECK(done.outcomes[0].action.empty());
    CHECK(play.server.fault.empty());

    Play untold({dsn_hello + Dialogue{"< MAIL FROM:<me@here.test> SIZE=21", "< RCPT TO:<a@x.test> ORCPT=rfc822;a+2Bb@x.test", "< DATA", "> 250 ok",
                                      "> 250 ok", "> 354 go", "<data", "> 250 Ok"}});
    job = job_for(untold.server.nexthop(), {"a@x.test"});
    job.recipients[0].original = "a+b@x.test";
    CHECK(text_of(untold.sender.send(job)).find("delivered") == 0);
    CHECK(untold.server.fault.empty());
}

TEST_CASE("a connection serves several messages", "[smtp-client]")
{
    Play play({hello + one_mail + one_mail + one_mail});
    for (int i = 0; i < 3; ++i) CHECK(play.send({"a@x.test"}).find("delivered") == 0);
    CHECK(play.server.connections == 1);
    CHECK(play.server.fault.empty());
    CHECK(play.sender.agent.connections.size() == 1);
}

TEST_CASE("a kept connection ends with QUIT when its time is up, and at the limit of uses", "[smtp-client]")
{
    auto settings = settings_for_tests();
    settings.keep_idle = async::Limit(20);
    Play play({hello + one_mail + Dialogue{"< QUIT", "> 221 bye", "<close"}}, settings);
    play.send({"a@x.test"});
    for (int i = 0; i < 100 && play.sender.agent.connections.size() > 0; ++i) async::loop().run_once(async::Limit(10));
    CHECK(play.sender.agent.connections.size() == 0);
    settle_connections();
    CHECK(play.server.fault.empty());
    settings.keep_idle = async::Limit(2000);
    settings.keep_uses = 2;
    Play counted({hello + one_mail + one_mail + Dialogue{"< QUIT", "> 221 bye"}, hello + one_mail}, settings);
    for (int i = 0; i < 3; ++i) CHECK(counted.send({"a@x.test"}).find("delivered") == 0);
    CHECK(counted.server.connections == 2);
    CHECK(counted.server.fault.empty());
}

TEST_CASE("a kept connection that has died is replaced without a word", "[smtp-client]")
{
    const Dialogue endings[] = {{"close"}, {"> 421 4.4.2 idle too long", "close"}, {"< MAIL FROM:<me@here.test> SIZE=21", "close"}};
    for (const auto& ending : endings) {
        Play play({hello + one_mail + ending, hello + one_mail});
        CHECK(play.send({"a@x.test"}).find("delivered") == 0);
        CHECK(play.send({"a@x.test"}).find("delivered") == 0);
        CHECK(play.server.connections == 2);
    }
}

TEST_CASE("many recipients go in groups", "[smtp-client]")
{
    std::vector<std::string> recipients;
    Dialogue dialogue = hello + Dialogue{"< MAIL FROM:<me@here.test> SIZE=21"};
    Dialogue replies = {"> 250 ok"};
    for (int i = 0; i < 250; ++i) {
        recipients.push_back("u" + std::to_string(i) + "@x.test");
        dialogue.push_back("< RCPT TO:<" + recipients.back() + ">");
        replies.push_back("> 250 ok");
        if (replies.size() == 100) {
            dialogue = dialogue + replies;
            replies.clear();
        }
    }
    dialogue = dialogue + Dialogue{"< DATA"} + replies + Dialogue{"> 354 go", "<data", "> 250 2.0.0 Ok"};
    Play play({dialogue});
    play.send(recipients);
    CHECK(play.server.fault.empty());
    for (const auto& each : play.done.outcomes) CHECK(each.status == spool::Outcome::delivered);
}

TEST_CASE("LMTP answers for each recipient", "[smtp-client]")
{
    auto settings = settings_for_tests();
    settings.lmtp = true;
    settings.mx_lookup = false;
    const Dialogue lmtp_hello = {"> 220 lmtp", "< LHLO here.test", "> 250-lmtp.test", "> 250 PIPELINING"};
    const Dialogue group = {"< MAIL FROM:<me@here.test>", "< RCPT TO:<a@x.test>", "< RCPT TO:<b@x.test>", "< RCPT TO:<c@x.test>", "< DATA", "> 250 ok", "> 250 ok",
                            "> 550 5.1.1 who?", "> 250 ok", "> 354 go", "<data"};
    Play play({lmtp_hello + group + Dialogue{"> 250 2.0.0 <a> saved", "> 452 4.2.2 <c> full"}}, settings);
    CHECK(play.send({"a@x.test", "b@x.test", "c@x.test"}) ==
          "delivered 2.0.0 250 2.0.0 <a> saved|bounced 5.1.1 host HOST said: 550 5.1.1 who? (in reply to RCPT TO command)|"
          "deferred 4.2.2 host HOST said: 452 4.2.2 <c> full (in reply to end of DATA command)");
    CHECK(play.server.fault.empty());
    CHECK(play.done.outcomes[1].action == "relayed");
    Play lost({lmtp_hello + group + Dialogue{"> 250 2.0.0 <a> saved", "close"}}, settings);
    CHECK(lost.send({"a@x.test", "b@x.test", "c@x.test"}) ==
          "delivered 2.0.0 250 2.0.0 <a> saved|bounced 5.1.1 host HOST said: 550 5.1.1 who? (in reply to RCPT TO command)|"
          "deferred 4.4.2 lost connection with HOST while sending end of data -- message may be sent more than once");
}

TEST_CASE("the next host is tried for what the first could not take", "[smtp-client]")
{
    NameServer names;
    names.on("x.test", 15).record("x.test", 15, 60, mx_data(10, "one.test")).record("x.test", 15, 60, mx_data(20, "two.test"));
    names.on("one.test", 1).record("one.test", 1, 60, a_data("127.0.0.2"));
    names.on("two.test", 1).record("two.test", 1, 60, a_data("127.0.0.1"));
    auto options = no_dns();
    options.servers = {names.address()};
    MailServer server({hello + one_mail});
    Sender sender(settings_for_tests(), options);
    auto done = sender.send(job_for("x.test:" + std::to_string(server.port), {"a@x.test"}));
    CHECK(text_of(done) == "delivered 2.0.0 250 2.0.0 Ok: queued as 1");
    CHECK(done.outcomes[0].remote == "two.test[127.0.0.1]:" + std::to_string(server.port));
    CHECK(server.fault.empty());
}

TEST_CASE("a recipient refused for now is offered to the next host, one refused for good is not", "[smtp-client]")
{
    NameServer names;
    names.on("x.test", 15).record("x.test", 15, 60, mx_data(10, "one.test")).record("x.test", 15, 60, mx_data(20, "two.test")).record("x.test", 15, 60, mx_data(30, "three.test"));
    for (const char* name : {"one.test", "two.test", "three.test"}) names.on(name, 1).record(name, 1, 60, a_data("127.0.0.1"));
    auto options = no_dns();
    options.servers = {names.address()};
    const Dialogue first = {"< MAIL FROM:<me@here.test> SIZE=21", "< RCPT TO:<a@x.test>", "< RCPT TO:<b@x.test>", "< DATA", "> 250 ok", "> 450 4.2.0 wait",
                            "> 550 5.1.1 never", "> 554 no"};
    const Dialogue second = {"< MAIL FROM:<me@here.test> SIZE=21", "< RCPT TO:<a@x.test>", "< DATA", "> 250 ok", "> 450 4.2.0 still wait", "> 554 no"};
    MailServer server({hello + first, hello + second});
    Sender sender(settings_for_tests(), options);
    auto done = sender.send(job_for("x.test:" + std::to_string(server.port), {"a@x.test", "b@x.test"}));
    CHECK(text_of(done) == "deferred 4.2.0 host two.test[127.0.0.1] said: 450 4.2.0 still wait (in reply to RCPT TO command)|"
                           "bounced 5.1.1 host one.test[127.0.0.1] said: 550 5.1.1 never (in reply to RCPT TO command)");
    CHECK(server.connections == 2);
    CHECK(server.fault.empty());
}

TEST_CASE("XFORWARD tells a filter who the client was", "[smtp-client]")
{
    auto settings = settings_for_tests();
    settings.send_xforward = true;
    Play play({{"> 220 filter", "< EHLO here.test", "> 250-filter", "> 250 XFORWARD NAME ADDR HELO", "< XFORWARD NAME=client.test ADDR=192.0.2.9 HELO=[UNAVAILABLE]",
                "> 250 ok", "< MAIL FROM:<me@here.test>", "> 250 ok", "< RCPT TO:<a@x.test>", "> 250 ok", "< DATA", "> 354 go", "<data", "> 250 Ok"}},
              settings);
    auto job = job_for(play.server.nexthop(), {"a@x.test"});
    job.client_name = "client.test";
    job.client_address = "192.0.2.9";
    CHECK(text_of(play.sender.send(job)).find("delivered") == 0);
    CHECK(play.server.fault.empty());
}

TEST_CASE("TLS that is required but not offered", "[smtp-client]")
{
    auto settings = settings_for_tests();
    settings.tls.level = tls::Level::encrypt;
    Play play({hello + Dialogue{"< QUIT", "<close"}}, settings);
    CHECK(play.send({"a@x.test"}) == "deferred 4.7.4 TLS is required, but was not offered by host HOST");
    settings.tls.level = tls::Level::may;
    Play may({hello + one_mail}, settings);
    CHECK(may.send({"a@x.test"}).find("delivered") == 0);
}

TEST_CASE("a destroyed delivery leaves nothing behind", "[smtp-client]")
{
    for (int rounds : {0, 1, 2, 3, 5, 8}) {
        MailServer server({hello + Dialogue{"< MAIL FROM:<me@here.test> SIZE=21", "<close"}});
        Sender sender;
        auto job = job_for(server.nexthop(), {"a@x.test"});
        std::optional<spool::Done> result;
        async::Nursery nursery("test");
        nursery.start(store(deliver(sender.agent, job), result));
        for (int i = 0; i < rounds; ++i) async::loop().run_once(async::Limit(5));
        nursery.cancel();
        CHECK_FALSE(result);
    }
}

TEST_CASE("a probe goes as far as RCPT, or DATA, and sends nothing", "[smtp-client]")
{
    struct Case {
        std::string target;
        Dialogue dialogue;
        std::string outcome;
    };
    const Dialogue mail = {"< MAIL FROM:<me@here.test>", "< RCPT TO:<a@x.test>"};
    const Dialogue data = mail + Dialogue{"< DATA", "> 250 2.1.0 ok"};
    const std::string said = "host HOST said: ";
    for (const auto& c : {
             Case{"rcpt", mail + Dialogue{"> 250 2.1.0 ok", "> 250 2.1.5 ok", "< QUIT"}, "delivered 2.1.5 250 2.1.5 ok"},
             Case{"rcpt", mail + Dialogue{"> 250 2.1.0 ok", "> 550 5.1.1 who?", "< QUIT"}, "bounced 5.1.1 " + said + "550 5.1.1 who? (in reply to RCPT TO command)"},
             Case{"rcpt", mail + Dialogue{"> 250 2.1.0 ok", "> 450 4.2.0 later", "< QUIT"},
                  "deferred 4.2.0 " + said + "450 4.2.0 later (in reply to RCPT TO command)"},
             Case{"rcpt", mail + Dialogue{"> 550 5.7.1 not you", "> 503 5.5.1 what?", "< QUIT"},
                  "bounced 5.7.1 " + said + "550 5.7.1 not you (in reply to MAIL FROM command)"},
             Case{"data", data + Dialogue{"> 250 2.1.5 ok", "> 354 go", "<close"}, "delivered 2.1.5 250 2.1.5 ok"},
             Case{"data", data + Dialogue{"> 250 2.1.5 ok", "> 554 5.7.1 no", "< QUIT"}, "bounced 5.7.1 " + said + "554 5.7.1 no (in reply to DATA command)"},
         }) {
        CAPTURE(c.target, c.dialogue);
        auto settings = settings_for_tests();
        settings.probe_data = c.target == "data";
        Play play({hello + c.dialogue}, settings);
        auto job = job_for(play.server.nexthop(), {"a@x.test"});
        job.probe = true;
        job.file.reset();
        job.content_length = 0;
        CHECK(text_of(play.sender.send(job)) == c.outcome);
        settle_connections();
        CHECK(play.server.contents.empty());
        CHECK(play.server.fault == "");
    }
}
