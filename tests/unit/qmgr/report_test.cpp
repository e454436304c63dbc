// The notice of what could not be delivered: words for people, RFC 3464 for machines.
#include "notices/report.h"

#include "base/text.h"
#include "catch.h"
#include "mail/header.h"
#include "mail/mime.h"

using namespace qmgr;

namespace {

RecipientState state(const std::string& address, RecipientState::State is, const std::string& text = "unknown user")
{
    RecipientState s;
    s.recipient.address = address;
    s.state = is;
    s.dsn = "5.1.1";
    s.text = text;
    s.last_attempt = 1'700'000'100;
    return s;
}

Message example()
{
    Message m;
    m.id = "4gBqk9x1yZbz1f";
    m.envelope.sender = "joe@example.org";
    m.envelope.arrival = 1'700'000'000'000'000;
    m.envelope.attributes["envid"] = "env+id";
    m.recipients.push_back(state("ann@example.net", RecipientState::bounced, "host mx.example.net[192.0.2.1] said: 550 5.1.1 no such user"));
    m.recipients.back().remote = "mx.example.net[192.0.2.1]:25";
    m.recipients.back().recipient.original = "alias@example.org";
    m.recipients.push_back(state("bob@example.net", RecipientState::delivered));
    m.recipients.push_back(state("late@example.net", RecipientState::deferred));
    m.recipients.push_back(state("silent@example.net", RecipientState::bounced));
    m.recipients.back().recipient.notify = spool::notify_never;
    m.recipients.push_back(state("asked@example.net", RecipientState::bounced));
    m.recipients.back().recipient.notify = spool::notify_failure | spool::notify_delay;
    m.recipients.back().recipient.dsn_original = "rfc822;Asked@example.net";
    return m;
}

std::string notice(const Message& message, std::string_view original = "Subject: x\r\n\r\nbody\r\n", bool whole = true,
                   NoticeKind kind = NoticeKind::failure)
{
    static auto config = config::Config::parse("myhostname = mail.example.org\n", "main.cf");
    static auto templates = config::default_notice_templates();
    Notice told;
    told.kind = kind;
    for (uint32_t number = 0; number < message.recipients.size(); ++number) {
        const RecipientState& one = message.recipients[number];
        auto state = kind == NoticeKind::failure ? RecipientState::bounced : kind == NoticeKind::delay ? RecipientState::deferred : RecipientState::delivered;
        if (one.state == state && one.recipient.notify != spool::notify_never) told.recipients.push_back(number);
    }
    told.id = "4gBqk9x1yZbz1g";
    told.to = message.envelope.sender;
    told.whole_message = whole;
    return write_notice(config, templates, message, told, original);
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// The lines of the delivery-status part.
std::string report(const std::string& text)
{
    auto start = text.find("Content-Type: message/");
    start = text.find("\r\n\r\n", start);
    return text.substr(start + 4, text.find("\r\n--4gBqk9x1yZbz1g/", start) - start - 4);
}

} // namespace

TEST_CASE("a notice is a multipart/report with three parts", "[qmgr]")
{
    std::string text = notice(example());
    CHECK(mail::field_value(text, "From") == "MAILER-DAEMON@mail.example.org (Mail Delivery System)");
    CHECK(mail::field_value(text, "To") == "joe@example.org");
    CHECK(mail::field_value(text, "Auto-Submitted") == "auto-replied");
    CHECK(mail::field_value(text, "Subject") == "Undelivered Mail Returned to Sender");
    CHECK(has(text, "Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"4gBqk9x1yZbz1g/mail.example.org\"\r\n"));
    size_t parts = 0;
    for (auto at = text.find("\r\n--4gBqk9x1yZbz1g/mail.example.org\r\n"); at != std::string::npos;
         at = text.find("\r\n--4gBqk9x1yZbz1g/mail.example.org\r\n", at + 1))
        ++parts;
    CHECK(parts == 3);
    CHECK(base::ends_with_word(text, "\r\n--4gBqk9x1yZbz1g/mail.example.org--\r\n"));
    CHECK(has(text, "Content-Type: message/rfc822\r\n"));
    CHECK(has(text, "\r\n\r\nSubject: x\r\n\r\nbody\r\n\r\n--"));
    CHECK(text.find('\n') == text.find("\r\n") + 1);
}

TEST_CASE("the report has the fields of RFC 3464", "[qmgr]")
{
    std::string fields = report(notice(example()));
    for (const char* line : {"Reporting-MTA: dns; mail.example.org\r\n", "Original-Envelope-Id: env+2Bid\r\n", "Final-Recipient: rfc822; ann@example.net\r\n",
                             "Original-Recipient: rfc822; alias@example.org\r\n", "Original-Recipient: rfc822;Asked@example.net\r\n", "Action: failed\r\n",
                             "Status: 5.1.1\r\n", "Remote-MTA: dns; mx.example.net", "Diagnostic-Code: smtp; ", "Diagnostic-Code: X-"}) {
        CAPTURE(line, fields);
        CHECK(has(fields, line));
    }
    CHECK(has(fields, "Queue-ID: 4gBqk9x1yZbz1f\r\n"));
    // Only who failed and did not forbid it.
    for (const char* other : {"bob@", "late@", "silent@"}) {
        CHECK_FALSE(has(fields, other));
        CHECK_FALSE(has(notice(example()), other));
    }
    // An empty line before each recipient, and none within.
    auto groups = base::replace_all(fields, "\r\n\r\n", "\x01");
    CHECK(std::count(groups.begin(), groups.end(), '\x01') == 2);
}

TEST_CASE("the words name who failed and why", "[qmgr]")
{
    std::string text = notice(example());
    CHECK(has(text, "This is the mail system at host mail.example.org."));
    CHECK(has(text, "\r\n<ann@example.net> (expanded from <alias@example.org>): host"));
    CHECK(has(text, "\r\n<asked@example.net>: unknown user\r\n"));
    for (auto line : base::split(text, "\r\n")) CHECK(line.size() < 100);
}

TEST_CASE("headers alone are returned as such", "[qmgr]")
{
    std::string text = notice(example(), "Subject: x\r\n", false);
    CHECK(has(text, "Content-Type: text/rfc822-headers\r\n"));
    CHECK(has(text, "Content-Description: Undelivered Message Headers\r\n"));
    CHECK_FALSE(has(text, "Content-Type: message/rfc822"));
    CHECK(has(notice(example(), "no line end"), "no line end\r\n\r\n--"));
    CHECK(has(notice(example(), ""), "\r\n--4gBqk9x1yZbz1g/mail.example.org--\r\n"));
}

TEST_CASE("addresses beyond ASCII make a report of RFC 6533", "[qmgr]")
{
    Message m = example();
    m.recipients[0].recipient.address = "j\xC3\xBCrgen@example.net";
    std::string text = notice(m);
    CHECK(has(text, "report-type=global-delivery-status"));
    CHECK(has(text, "Content-Type: message/global-delivery-status"));
    CHECK(has(report(text), "Final-Recipient: utf-8; j\xC3\xBCrgen@example.net\r\n"));
    CHECK(has(text, "charset=utf-8"));
}

TEST_CASE("no address, reply or name can add lines of its own", "[qmgr]")
{
    Message m = example();
    m.recipients.resize(1);
    m.recipients[0].text = "550 no\r\nForged-Text: x\r\n--4gBqk9x1yZbz1g/mail.example.org--";
    m.recipients[0].remote = "mx\r\nForged-Remote: x";
    m.recipients[0].dsn = "5.1.1\r\nForged-Status: x";
    m.recipients[0].recipient.dsn_original = "rfc822;a\r\nForged-Original: x";
    m.recipients[0].recipient.original = "b\r\nForged-Alias: x";
    m.recipients[0].recipient.address = "c\nForged-Address: x";
    m.envelope.attributes["envid"] = "e\r\nForged-Id: x";
    m.envelope.sender = "joe\r\nForged-Sender: x@example.org";
    std::string text = notice(m);
    CAPTURE(text);
    CHECK_FALSE(has(text, "\nForged-"));
    m.recipients[0].recipient.dsn_original.clear();
    CHECK_FALSE(has(notice(m), "\nForged-"));
}

TEST_CASE("delays and deliveries have words and actions of their own", "[qmgr]")
{
    Message m = example();
    m.recipients[2].text = "connect to mx.example.net: Connection refused";
    m.recipients[2].dsn = "4.4.1";
    std::string delayed = notice(m, "Subject: x\r\n", false, NoticeKind::delay);
    CHECK(mail::field_value(delayed, "Subject") == "Delayed Mail (still being retried)");
    CHECK(has(report(delayed), "Final-Recipient: rfc822; late@example.net\r\nAction: delayed\r\nStatus: 4.4.1\r\n"));
    CHECK(has(report(delayed), "\r\nWill-Retry-Until: "));
    CHECK(has(delayed, "we go on trying for 5 day(s)"));
    CHECK(has(delayed, "Content-Description: Undelivered Message Headers\r\n"));

    m.recipients[1].dsn = "2.0.0";
    m.recipients[1].text = "250 ok";
    m.recipients[1].action = "relayed";
    std::string success = notice(m, "Subject: x\r\n", false, NoticeKind::success);
    CHECK(mail::field_value(success, "Subject") == "Successful Mail Delivery Report");
    CHECK(has(report(success), "Final-Recipient: rfc822; bob@example.net\r\nAction: relayed\r\nStatus: 2.0.0\r\n"));
    CHECK_FALSE(has(report(success), "Will-Retry-Until"));
    CHECK(has(success, "Content-Description: Message Headers\r\n"));
}
