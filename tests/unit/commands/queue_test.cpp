// qshape's table, and what rookpost trace reads out of log lines.
#include "qshape_table.h"
#include "rookpost_trace.h"

#include "catch.h"

namespace {

constexpr int64_t now = 1000000000;

spool::ListedMessage message(int64_t minutes, const std::string& sender, const std::vector<std::string>& recipients)
{
    spool::ListedMessage m;
    m.arrival = now - minutes * 60;
    m.sender = sender;
    for (const auto& address : recipients) m.recipients.push_back({address, address, ""});
    return m;
}

std::vector<std::string> lines(const qshape::Table& table)
{
    std::vector<std::string> found;
    std::string text = table.text();
    for (size_t at = 0, end; (end = text.find('\n', at)) != text.npos; at = end + 1) {
        size_t start = text.find_first_not_of(' ', at);
        found.push_back(text.substr(start, end - start));
    }
    return found;
}

using Lines = std::vector<std::string>;

} // namespace

TEST_CASE("qshape counts recipients by domain and age")
{
    qshape::Table table({}, now);
    CHECK(lines(table) == Lines{"T 5 10 20 40 80 160 320 640 1280 1280+", "TOTAL 0 0  0  0  0  0   0   0   0    0     0"});
    table.add(message(0, "a@x.test", {"b@Two.test", "c@two.test", "d@one.test"}));
    table.add(message(6, "", {"b@two.test"}));
    table.add(message(100000, "a@x.test", {"root"}));
    CHECK(lines(table) == Lines{"T 5 10 20 40 80 160 320 640 1280 1280+",
                                "TOTAL 5 3  1  0  0  0   0   0   0    0     1",
                                "two.test 3 2  1  0  0  0   0   0   0    0     0",
                                "localhost 1 0  0  0  0  0   0   0   0    0     1",
                                "one.test 1 1  0  0  0  0   0   0   0    0     0"});
    CHECK(table.text().find('\n') == 80);
}

TEST_CASE("qshape in other shapes")
{
    qshape::Shape shape;
    shape.by_sender = true;
    shape.linear = true;
    shape.buckets = 3;
    shape.bucket_minutes = 10;
    qshape::Table senders(shape, now);
    senders.add(message(5, "a@x.test", {"b@y.test", "c@y.test"}));
    senders.add(message(15, "", {"b@y.test"}));
    senders.add(message(25, "a@x.test", {"b@y.test"}));
    CHECK(lines(senders) == Lines{"T 10 20 20+", "TOTAL 3  1  1   1", "x.test 2  1  0   1", "MAILER-DAEMON 1  0  1   0"});

    shape = {};
    shape.parents = true;
    shape.least_subdomains = 2;
    shape.buckets = 1;
    shape.width = 10;
    qshape::Table parents(shape, now);
    parents.add(message(0, "", {"u@a.example.test", "u@b.example.test", "u@c.other.test"}));
    Lines expected = {"T 0+", "TOTAL 3  3", ".example.test 2  2", "a.example.test 1  1", "b.example.test 1  1", "c.other.test 1  1"};
    CHECK(lines(parents) == expected);
}

TEST_CASE("names that are too long keep their end")
{
    qshape::Shape shape;
    shape.buckets = 1;
    shape.width = 20;
    qshape::Table table(shape, now);
    table.add(message(0, "", {"u@" + std::string(60, 'x') + ".example.test"}));
    CHECK(lines(table)[2] == "+x.example.test 1  1");
}

TEST_CASE("log lines of one message in plain words")
{
    struct Case {
        const char* line;
        const char* words;
    };
    for (auto [line, words] : {
             Case{"Nov 23 01:02:03 mail postfix/smtpd[7]: 4ID: client=a.test[192.0.2.1]", "received from a.test[192.0.2.1]"},
             {"Nov  3 01:02:03 mail postfix/pickup[7]: 4ID: uid=1000 from=<root>", "received from local user 1000, sender <root>"},
             {"Nov 23 01:02:03 mail postfix/cleanup[7]: 4ID: message-id=<a@b>", "is message-id <a@b>"},
             {"Nov 23 01:02:03 mail postfix/qmgr[7]: 4ID: from=<a@b>, size=12, nrcpt=1 (queue active)", "taken up: sender <a@b>, 12 bytes, 1 recipient(s)"},
             {"Nov 23 01:02:03 mail postfix/smtp[7]: 4ID: to=<c@d>, orig_to=<x>, relay=m.test[192.0.2.2]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok (really))",
              "delivered to <c@d>, given as <x>, through m.test[192.0.2.2]:25: 250 2.0.0 Ok (really)"},
             {"Nov 23 01:02:03 mail postfix/smtp[7]: 4ID: to=<c@d>, relay=none, delay=1, dsn=4.4.1, status=deferred (connect to m.test: refused)",
              "put off for <c@d>: connect to m.test: refused"},
             {"2026-11-23T01:02:03+00:00 mail postfix/qmgr[7]: 4ID: removed", "done: removed from the queue"},
             {"Nov 23 01:02:03 mail postfix/bounce[7]: 4ID: sender non-delivery notification: 4IE", "the sender was told, in 4IE"},
             {"Nov 23 01:02:03 mail postfix/x[7]: 4ID: something new", "postfix/x: something new"},
         }) {
        auto read = rookpost::read_log_line(line, "4ID");
        CAPTURE(line);
        REQUIRE(read);
        CHECK(rookpost::plain_words(*read) == words);
    }
    CHECK(rookpost::read_log_line("Nov  3 01:02:03 mail postfix/qmgr[7]: 4ID: removed", "4ID")->time == "Nov  3 01:02:03");
    CHECK(rookpost::read_log_line("2026-11-23T01:02:03Z mail postfix/qmgr[7]: 4ID: removed", "4ID")->time == "2026-11-23T01:02:03Z");
    for (const char* other : {"", "4ID: removed", "]: 4ID: x", "Nov 23 01:02:03 mail postfix/qmgr[7]: 4IDE: removed", "Nov 23 01:02:03 mail postfix/qmgr[7]: x 4ID: removed"})
        CHECK_FALSE(rookpost::read_log_line(other, "4ID"));
}
