// Dialogues with smtpd over a socket pair, its queue manager a script.
#include "../tls/certificates.h"
#include "file_stream.h"
#include "talk.h"
#include "tls/handshake.h"

TEST_CASE("EHLO tells what we can", "[smtpd]")
{
    Talk talk;
    CHECK(talk.say("") == "220 mail.example.org ESMTP Rookpost\r\n");
    std::string reply = talk.say("EHLO client.example\r\n");
    CHECK(reply.find("250-mail.example.org\r\n") == 0);
    for (const char* keyword : {"PIPELINING", "SIZE 10000", "ENHANCEDSTATUSCODES", "8BITMIME", "CHUNKING"}) {
        CAPTURE(keyword);
        CHECK((has(reply, std::string("250-") + keyword + "\r\n") || has(reply, std::string("250 ") + keyword + "\r\n")));
    }
    CHECK_FALSE(has(reply, "STARTTLS"));
    CHECK_FALSE(has(reply, "AUTH"));
    CHECK(talk.say("HELO client.example\r\n") == "250 mail.example.org\r\n");
    CHECK(has(talk.say("QUIT\r\n"), "221 "));
    CHECK(talk.closed);
    CHECK(has(talk.log(), "connect from unknown[198.51.100.7]\n"));
    CHECK(has(talk.log(), "disconnect from unknown[198.51.100.7] ehlo=1 helo=1 quit=1 commands=3\n") !=
          has(talk.log(), "disconnect from unknown[198.51.100.7] helo=1 ehlo=1 quit=1 commands=3\n"));
}

TEST_CASE("keywords can be hidden", "[smtpd]")
{
    Talk talk("smtpd_discard_ehlo_keywords = Chunking, pipelining\nmessage_size_limit = 0\n");
    talk.say("");
    std::string reply = talk.say("EHLO x\r\n");
    CHECK_FALSE(has(reply, "CHUNKING"));
    CHECK_FALSE(has(reply, "PIPELINING"));
    CHECK((has(reply, "SIZE\r\n")));
}

TEST_CASE("a message comes in by DATA", "[smtpd]")
{
    Greeted talk;
    CHECK(talk.codes("MAIL FROM:<joe@example.net> SIZE=100 BODY=8BITMIME\r\n") == "250");
    CHECK(talk.codes("RCPT TO:<ann@example.org>\r\n") == "250");
    CHECK(talk.codes("RCPT TO:<bob@example.org>\r\n") == "250");
    CHECK(talk.codes("DATA\r\n") == "354");
    CHECK(talk.say("Subject: x\r\nBcc: secret\r\n\r\n..dot\r\nbody\r\n.\r\n") == "250 2.0.0 Ok: queued as ID1\r\n");
    CHECK(talk.told("commit ID1"));
    std::string content = talk.content("ID1");
    CHECK(content.find("Received: from client.example (unknown [198.51.100.7])") == 0);
    CHECK(has(content, "\r\nSubject: x\r\n\r\n.dot\r\nbody\r\n"));
    CHECK_FALSE(has(content, "secret"));
    CHECK(talk.message.envelope.sender == "joe@example.net");
    REQUIRE(talk.message.envelope.recipients.size() == 2);
    CHECK(talk.message.envelope.recipients[1].address == "bob@example.org");
    CHECK(talk.message.envelope.attribute("client_address") == "198.51.100.7");
    CHECK((talk.message.head.content_flags & spool::content_dot_lines) != 0);
    CHECK(has(talk.log(), "ID1: client=unknown[198.51.100.7]"));
    // Another one on the same connection.
    CHECK(talk.codes("MAIL FROM:<>\r\nRCPT TO:<ann@example.org>\r\nDATA\r\n") == "250 250 354");
    CHECK(talk.codes(".\r\n") == "250");
    CHECK(talk.told("commit ID2"));
}

TEST_CASE("a message comes in by BDAT, in chunks cut anywhere", "[smtpd]")
{
    Greeted talk;
    CHECK(talk.codes("MAIL FROM:<joe@example.net>\r\nRCPT TO:<ann@example.org>\r\nBDAT 12\r\nSubject: x\r\n") == "250 250 250");
    CHECK(talk.codes("BDAT 5\r\n\r\n.\r\n") == "250");
    CHECK(talk.codes("MAIL FROM:<x@y.z>\r\n") == "503");
    CHECK(talk.codes("DATA\r\n") == "503");
    CHECK(talk.codes("BDAT 7 LAST\r\nno end!") == "250");
    CHECK(talk.told("commit ID1"));
    std::string content = talk.content("ID1");
    CHECK(has(content, "Subject: x\r\n\r\n.\r\nno end!\r\n"));
    CHECK(talk.codes("MAIL FROM:<joe@example.net>\r\nRCPT TO:<ann@example.org>\r\nBDAT 0 LAST\r\n") == "250 250 250");
    CHECK(talk.codes("BDAT 5\r\nhelloNOOP\r\n") == "503 250");       // the chunk is swallowed all the same
}

TEST_CASE("commands come in order", "[smtpd]")
{
    struct Case {
        const char *before, *command, *codes;
    };
    Case cases[] = {
        {"", "MAIL FROM:<a@b.c>", "250"},           // smtpd_helo_required = no, as in Postfix
        {"", "RCPT TO:<ann@example.org>", "503"},
        {"EHLO x", "RCPT TO:<ann@example.org>", "503"},
        {"EHLO x", "DATA", "503"},
        {"EHLO x", "BDAT 0 LAST", "503"},
        {"EHLO x", "HELP", ""},
        {"EHLO x|MAIL FROM:<a@b.c>", "MAIL FROM:<a@b.c>", "503"},
        {"EHLO x|MAIL FROM:<a@b.c>", "DATA", "554"},
        {"EHLO x|MAIL FROM:<a@b.c>|RSET", "RCPT TO:<ann@example.org>", "503"},
        {"EHLO x|MAIL FROM:<a@b.c>|EHLO y", "RCPT TO:<ann@example.org>", "503"},
        {"EHLO x|MAIL FROM:<a@b.c>", "RCPT TO:<ann@elsewhere.example>", "554"},
        {"EHLO x|MAIL FROM:<a@b.c>", "RCPT TO:<>", "501"},
        {"EHLO x|MAIL FROM:<a@b.c>", "RCPT TO:<ann@example.org", "501"},
        {"EHLO x|MAIL FROM:<a@b.c>", "RCPT FROM:<ann@example.org>", "501"},
        {"EHLO x", "MAIL FROM:<a@b.c> SIZE=99999999", "552"},
        {"EHLO x", "MAIL FROM:<a@b.c> SIZE=x", "501"},
        {"EHLO x", "MAIL FROM:<a@b.c> NONSENSE=1", "555"},
        {"EHLO x", "EHLO", "501"},
        {"EHLO x", "DATA now", ""},
        {"EHLO x", "BOGUS", "500"},
        {"EHLO x", "", "500"},
        {"EHLO x", "NOOP anything", "250"},
        {"EHLO x", "STARTTLS", "502"},
        {"EHLO x", "AUTH PLAIN x", "503"},
        {"EHLO x", "RSET", "250"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.before, c.command);
        Talk talk;
        talk.say("");
        for (auto line : base::split(c.before, "|")) CHECK(talk.codes(std::string(line) + "\r\n") == "250");
        std::string codes = talk.codes(std::string(c.command) + "\r\n");
        if (*c.codes) CHECK(codes == c.codes);
        CHECK(codes.size() == 3);
        CHECK(talk.commits() == 0);
    }
}

TEST_CASE("who must say hello first and does not", "[smtpd]")
{
    Talk talk("smtpd_helo_required = yes\n");
    talk.say("");
    CHECK(talk.codes("MAIL FROM:<a@b.c>\r\n") == "503");
    CHECK(talk.codes("HELO x\r\n") == "250");
    CHECK(talk.codes("MAIL FROM:<a@b.c>\r\n") == "250");
}

TEST_CASE("too many recipients come again", "[smtpd]")
{
    Greeted talk;
    CHECK(talk.codes("MAIL FROM:<a@b.c>\r\n") == "250");
    std::string many;
    for (int i = 0; i < 7; ++i) many += "RCPT TO:<u" + std::to_string(i) + "@example.org>\r\n";
    CHECK(talk.codes(many) == "250 250 250 250 250 452 452");
    CHECK(talk.codes("DATA\r\n") == "354");
    CHECK(talk.codes("x\r\n.\r\n") == "250");
    CHECK(talk.told("commit ID1"));
    talk.content("ID1");
    CHECK(talk.message.envelope.recipients.size() == 5);
}

TEST_CASE("mail that is too large is refused at its end and not kept", "[smtpd]")
{
    Greeted talk;
    CHECK(talk.codes("MAIL FROM:<a@b.c>\r\nRCPT TO:<ann@example.org>\r\nDATA\r\n") == "250 250 354");
    std::string line(998, 'x');
    for (int i = 0; i < 15; ++i) base::write_all(talk.client.get(), line + "\r\n", "client");
    CHECK(talk.codes(".\r\n") == "552");
    CHECK(talk.told("abandon ID1"));
    CHECK(talk.codes("MAIL FROM:<a@b.c>\r\nRCPT TO:<ann@example.org>\r\nBDAT 12000\r\n" + std::string(12000, 'y')) == "250 250 552");
    CHECK(talk.told("abandon ID2"));
    CHECK(talk.commits() == 0);
    CHECK(talk.codes("NOOP\r\n") == "250");
}

TEST_CASE("lines that are too long, or with NUL, are refused and the dialogue goes on", "[smtpd]")
{
    Greeted talk;
    CHECK(talk.codes("NOOP " + std::string(100000, 'x') + "\r\n") == "500");
    CHECK(talk.codes(std::string("NO\0OP\r\n", 7)) == "500");
    CHECK(talk.codes(std::string("MAIL FROM:<a\0b@example.net>\r\n", 29)) == "500");
    CHECK(talk.codes("NOOP\r\n") == "250");
}

TEST_CASE("too many errors end the session", "[smtpd]")
{
    Greeted talk;
    std::string codes;
    for (int i = 0; i < 6 && !talk.closed; ++i) codes = talk.codes("BOGUS\r\n");
    CHECK(has(codes, "421"));
    talk.say("");
    CHECK(talk.closed);
    CHECK(has(talk.log(), "too many errors after UNKNOWN from unknown[198.51.100.7]"));
}

TEST_CASE("who talks on where it must wait is cut off", "[smtpd]")
{
    SECTION("after DATA")
    {
        Greeted talk;
        CHECK(talk.codes("MAIL FROM:<a@b.c>\r\nRCPT TO:<ann@example.org>\r\nDATA\r\nSubject: smuggled\r\n.\r\nMAIL FROM:<b@b.c>\r\n") == "250 250 554");
        talk.say("");
        CHECK(talk.closed);
        CHECK(talk.told("abandon ID1"));
        CHECK(talk.commits() == 0);
        CHECK(has(talk.log(), "improper command pipelining after DATA from unknown[198.51.100.7]: Subject: smuggled"));
    }
    SECTION("without ESMTP")
    {
        Talk talk;
        talk.say("");
        CHECK(talk.codes("HELO x\r\n") == "250");
        CHECK(talk.codes("MAIL FROM:<a@b.c>\r\nRCPT TO:<ann@example.org>\r\n") == "554");
    }
    SECTION("after EHLO")
    {
        Talk talk;
        talk.say("");
        CHECK(has(talk.codes("EHLO x\r\nMAIL FROM:<a@b.c>\r\n"), "554"));
    }
}

namespace {

// One line after the other behind the handshake; the replies.
async::Task<std::string> talk_under_tls(net::Stream& stream, const tls::ClientContext& context, std::vector<std::string> lines)
{
    net::Limit limit = std::chrono::seconds(10);
    tls::Target target("mail.example.org", tls::Level::encrypt);
    tls::Info info = co_await tls::connect(stream, context, std::move(target), limit);
    std::string replies;
    for (const auto& said : lines) {
        stream.write(said + "\r\n");
        co_await stream.flush(limit);
        for (bool last = false; !last;) {
            std::string_view view = co_await stream.line(limit, 1000);
            std::string line(view);
            replies += line + "\n";
            last = line.size() > 3 && line[3] == ' ';
        }
    }
    co_return replies;
}

} // namespace

TEST_CASE("what was said before STARTTLS does not count behind it", "[smtpd]")
{
    TestCertificates certificates("mail.example.org");
    std::string settings = "smtpd_tls_security_level = may\nsmtpd_tls_cert_file = " + certificates.path("cert.pem") +
                           "\nsmtpd_tls_key_file = " + certificates.path("key.pem") + "\n";
    SECTION("commands that were sent along are not obeyed")
    {
        Greeted talk(settings);
        CHECK(talk.codes("STARTTLS\r\nMAIL FROM:<evil@b.c>\r\nRCPT TO:<ann@example.org>\r\n") == "554");
        talk.say("");
        CHECK(talk.closed);
        CHECK(talk.manager->asked.empty());
    }
    SECTION("the dialogue begins anew")
    {
        Greeted talk(settings);
        CHECK(talk.codes("MAIL FROM:<a@b.c>\r\n") == "250");
        CHECK(talk.codes("STARTTLS\r\n") == "503");        // not within a transaction
        CHECK(talk.codes("RSET\r\n") == "250");
        CHECK(talk.codes("STARTTLS now\r\n") == "501");
        REQUIRE(talk.codes("STARTTLS\r\n") == "220");
        tls::ClientContext context{tls::ClientSettings{}};
        net::Stream stream(std::move(talk.client), net::Address::unix_path(""));
        std::vector<std::string> lines = {"RCPT TO:<bob@example.org>", "EHLO x", "STARTTLS"};
        std::string replies = run_task(talk_under_tls(stream, context, lines));
        CAPTURE(replies);
        CHECK(replies.find("503 ") == 0);
        CHECK(has(replies, "250-PIPELINING\n"));
        CHECK_FALSE(has(replies, "250-STARTTLS\n"));
        CHECK(has(replies, "\n554 "));
    }
}

TEST_CASE("without TLS nothing is taken where it is mandatory", "[smtpd]")
{
    TestCertificates certificates("mail.example.org");
    Greeted talk("smtpd_tls_security_level = encrypt\nsmtpd_tls_cert_file = " + certificates.path("cert.pem") +
                 "\nsmtpd_tls_key_file = " + certificates.path("key.pem") + "\n");
    CHECK(talk.codes("MAIL FROM:<a@b.c>\r\n") == "530");
    CHECK(talk.codes("NOOP\r\n") == "250");
}

TEST_CASE("only CRLF.CRLF ends a message", "[smtpd]")
{
    for (const char* fake : {"\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n.\r"}) {
        CAPTURE(fake);
        Greeted talk;
        CHECK(talk.codes("MAIL FROM:<a@b.c>\r\nRCPT TO:<ann@example.org>\r\nDATA\r\n") == "250 250 354");
        talk.codes(std::string("Subject: x\r\n\r\nbody") + fake + "MAIL FROM:<evil@b.c>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\nsecond\r\n.\r\n");
        CHECK(talk.commits() <= 1);
        CHECK(talk.manager->asked.size() == 1);
    }
}

TEST_CASE("a client that goes in the middle leaves nothing", "[smtpd]")
{
    for (const char* last : {"DATA\r\n", "DATA\r\n|Subject: x\r\n\r\nbody\r\n", "BDAT 100\r\nhalf", "BDAT 4\r\nhalf", ""}) {
        CAPTURE(last);
        Greeted talk;
        CHECK(talk.codes("MAIL FROM:<a@b.c>\r\nRCPT TO:<ann@example.org>\r\n") == "250 250");
        for (auto part : base::split(last, "|")) {
            base::write_all(talk.client.get(), part, "client");
            run_rounds();
        }
        talk.client.reset();
        CHECK(talk.told("abandon ID1"));
        CHECK(talk.commits() == 0);
        CHECK(has(talk.log(), "lost connection after "));
    }
}

TEST_CASE("a silent client is told good-bye", "[smtpd]")
{
    Talk talk("smtpd_timeout = 1s\n");
    CHECK(talk.codes("") == "220");
    CHECK(talk.codes("EHL") == "421");
    CHECK(has(talk.log(), "timeout after CONNECT from unknown[198.51.100.7]"));
}

TEST_CASE("without a queue manager mail is deferred, not lost", "[smtpd]")
{
    Greeted talk;
    SECTION("none there")
    {
        talk.manager->die();
        CHECK(talk.codes("MAIL FROM:<a@b.c>\r\nRCPT TO:<ann@example.org>\r\n") == "250 451");
    }
    SECTION("no room")
    {
        talk.manager->problem = "4.3.1 Insufficient system storage";
        CHECK(talk.codes("MAIL FROM:<a@b.c>\r\nRCPT TO:<ann@example.org>\r\n") == "250 452");
    }
    SECTION("gone before the end")
    {
        CHECK(talk.codes("MAIL FROM:<a@b.c>\r\nRCPT TO:<ann@example.org>\r\nDATA\r\n") == "250 250 354");
        talk.manager->die();
        CHECK(talk.codes("Subject: x\r\n\r\n.\r\n") == "451");
        CHECK(std::filesystem::file_size(talk.scratch / "ID1") == 0);
    }
}

TEST_CASE("too many connections from one address", "[smtpd]")
{
    Talk talk("smtpd_client_connection_count_limit = 1\n");
    CHECK(talk.codes("") == "220");
    int both[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both) == 0);
    talk.nursery.start(smtpd::serve(net::Stream(base::Fd(both[0]), *net::Address::parse_ip("198.51.100.7", 4712)), *talk.service));
    talk.client = base::Fd(both[1]);
    CHECK(talk.codes("") == "421");
}

TEST_CASE("the letterbox knows who sends and asks little", "[smtpd]")
{
    Talk talk("", true);
    CHECK(talk.codes("") == "220");
    CHECK(talk.codes("EHLO x\r\nMAIL FROM:<joe@example.org>\r\nRCPT TO:<far@elsewhere.example>\r\nBDAT 7 LAST\r\nhello\r\n") == "250 250 250 250");
    CHECK(talk.told("commit ID1"));
    std::string content = talk.content("ID1");
    CHECK(has(content, "Message-Id: <"));
    CHECK(has(content, "Date: "));
    CHECK(has(content, "From: joe@example.org"));
    CHECK(has(content, "\r\n\r\nhello\r\n"));
    CHECK(talk.message.envelope.attribute("uid") == std::to_string(::getuid()));
    CHECK(has(talk.log(), "postfix/pickup[") == true);
}

TEST_CASE("what postdrop left is taken in, refused, or kept for later", "[smtpd]")
{
    struct Case {
        const char* dialogue;
        spool::PickedUp::Verdict verdict;
    };
    Case cases[] = {
        {"EHLO x\r\nMAIL FROM:<joe@example.org>\r\nRCPT TO:<ann@example.org>\r\nDATA\r\nSubject: x\r\n\r\nbody\r\n.\r\nQUIT\r\n", spool::PickedUp::accepted},
        {"EHLO x\r\nMAIL FROM:<joe@example.org>\r\nRCPT TO:<ann@example.org>\r\nBDAT 4 LAST\r\nbodyQUIT\r\n", spool::PickedUp::accepted},
        {"EHLO x\r\nMAIL FROM:<joe@example.org>\r\nRCPT TO:<ann@example.org>\r\nDATA\r\nhalf a mess", spool::PickedUp::try_again},
        {"EHLO x\r\nMAIL FROM:<joe@example.org\r\nQUIT\r\n", spool::PickedUp::refused},
        {"", spool::PickedUp::try_again},
        {"garbage\r\n", spool::PickedUp::refused},
    };
    for (const auto& c : cases) {
        CAPTURE(c.dialogue);
        Talk talk("", true);
        base::replace_file(talk.scratch / "drop", c.dialogue, 0600);
        auto verdict = run_task(smtpd::serve_file("drop", 1000, base::open_file(talk.scratch / "drop", O_RDONLY), *talk.service));
        CHECK(verdict.name == "drop");
        CHECK(verdict.verdict == c.verdict);
        run_rounds();
        CHECK(talk.commits() == (c.verdict == spool::PickedUp::accepted ? 1u : 0u));
    }
}
