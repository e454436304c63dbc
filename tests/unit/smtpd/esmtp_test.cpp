// What there is beside MAIL, RCPT and DATA: verbs, extensions, limits on clients, and what smugglers try.
#include "talk.h"

using namespace std::string_literals;

namespace {

struct Case {
    const char *before, *command, *reply;   // before: lines divided by "|", each answered with 2xx; reply: how it begins
};

void check(const std::string& settings, std::initializer_list<Case> cases)
{
    for (const auto& c : cases) {
        CAPTURE(settings, c.before, c.command);
        Talk talk("smtputf8_enable = yes\n" + settings);
        talk.say("");
        for (auto line : base::split(c.before, "|")) {
            std::string codes = talk.codes(std::string(line) + "\r\n");
            CHECK((codes == "250" || codes == "220"));
        }
        std::string reply = talk.say(std::string(c.command) + "\r\n");
        CAPTURE(reply);
        CHECK(reply.find(c.reply) == 0);
        CHECK(talk.commits() == 0);
    }
}

} // namespace

TEST_CASE("EHLO offers the extensions", "[smtpd]")
{
    Talk talk("smtputf8_enable = yes\nsmtpd_authorized_xclient_hosts = 198.51.100.0/24\nsmtpd_authorized_xforward_hosts = 198.51.100.7\n");
    talk.say("");
    CHECK(talk.say("EHLO client.example\r\n") ==
          "250-mail.example.org\r\n250-PIPELINING\r\n250-SIZE 10000\r\n250-VRFY\r\n250-ETRN\r\n"
          "250-XCLIENT NAME ADDR PROTO HELO REVERSE_NAME PORT LOGIN DESTADDR DESTPORT\r\n250-XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT\r\n"
          "250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n250-CHUNKING\r\n250 LIMITS RCPTMAX=5\r\n");
}

TEST_CASE("keywords are hidden from some clients, and what is hidden is refused", "[smtpd]")
{
    Talk talk("smtpd_discard_ehlo_keyword_address_maps = inline:{{198.51.100.7=dsn, chunking}}\nsmtpd_discard_ehlo_keywords = etrn\n");
    talk.say("");
    std::string reply = talk.say("EHLO x\r\n");
    CHECK_FALSE(has(reply, "DSN"));
    CHECK_FALSE(has(reply, "CHUNKING"));
    CHECK(has(reply, "ETRN"));
    CHECK(has(talk.log(), "discarding EHLO keywords: CHUNKING DSN\n"));
    CHECK(talk.say("MAIL FROM:<a@b.c> RET=FULL\r\n") == "501 5.7.1 DSN support is disabled\r\n");
    CHECK(talk.say("BDAT 5 LAST\r\nhello") == "521 5.5.1 Error: command not implemented\r\n");
}

TEST_CASE("verbs and their replies", "[smtpd]")
{
    check("", {
        {"", "HELP", "214 2.0.0 Commands: AUTH BDAT DATA EHLO ETRN HELO HELP MAIL NOOP QUIT RCPT RSET STARTTLS VRFY XCLIENT XFORWARD\r\n"},
        {"", "EXPN list", "500 5.5.2 Error: command not recognized\r\n"},
        {"", "LHLO x", "500 5.5.2 Error: command not recognized\r\n"},
        {"", "", "500 5.5.2 Error: bad syntax\r\n"},
        {"", "NOOP\x01", "500 5.5.2 Error: bad syntax\r\n"},
        {"", "NOOP \x1b[2J", "500 5.5.2 Error: bad syntax\r\n"},
        {"", "MAIL FROM:<a\xff@b.c>", "500 5.5.2 Error: bad UTF-8 syntax\r\n"},
        {"", "VRFY", "501 5.5.4 Syntax: VRFY address [SMTPUTF8]\r\n"},
        {"", "VRFY <ann@example.org>", "252 2.0.0 <ann@example.org>\r\n"},
        {"", "VRFY ann", "252 2.0.0 ann\r\n"},
        {"", "VRFY <>", "501 5.1.3 Bad recipient address syntax\r\n"},
        {"", "VRFY joe@elsewhere.example", "554 5.7.1 <joe@elsewhere.example>: Relay access denied\r\n"},
        {"", "ETRN", "500 Syntax: ETRN domain\r\n"},
        {"", "ETRN -x-", "501 Error: invalid parameter syntax\r\n"},
        {"", "ETRN example.net", "459 <example.net>: service unavailable\r\n"},
        {"EHLO x|MAIL FROM:<a@b.c>", "ETRN example.net", "503 "},
        {"EHLO x|MAIL FROM:<a@b.c>", "AUTH PLAIN", "503 5.5.1 Error: MAIL transaction in progress\r\n"},
        {"EHLO x", "RCPT TO:<ann@example.org>", "503 5.5.1 Error: need MAIL command\r\n"},
        {"EHLO x", "DATA", "503 5.5.1 Error: need RCPT command\r\n"},
        {"", "XCLIENT NAME=x.example", "550 5.7.0 Error: insufficient authorization\r\n"},
        {"", "XFORWARD NAME=x.example", "550 5.7.0 Error: insufficient authorization\r\n"},
    });
    check("disable_vrfy_command = yes\n", {{"", "VRFY ann", "502 5.5.1 VRFY command is disabled\r\n"}});
    check("smtpd_helo_required = yes\n", {{"", "MAIL FROM:<a@b.c>", "503 5.5.1 Error: send HELO/EHLO first\r\n"}, {"", "ETRN x.example", "503 "}});
    check("smtpd_noop_commands = expn, xnoop\n", {{"", "EXPN list", "250 2.0.0 Ok\r\n"}, {"", "xnoop", "250 2.0.0 Ok\r\n"}});
    check("smtpd_command_filter = inline:{RSVP=RSET}\n", {{"", "RSVP", "250 2.0.0 Ok\r\n"}, {"", "BOGUS", "500 "}});
    check("strict_smtputf8 = yes\n", {
        {"EHLO x", "MAIL FROM:<\xc3\xa4@b.c>", "553 5.6.7 Must declare SMTPUTF8 to send unicode address\r\n"},
        {"EHLO x", "MAIL FROM:<\xc3\xa4@b.c> SMTPUTF8", "250 2.1.0 Ok\r\n"},
        {"EHLO x|MAIL FROM:<a@b.c>", "RCPT TO:<\xc3\xa4@example.org>", "553 5.6.7 "},
    });
    check("queue_minfree = 9000000000000000\n", {{"EHLO x", "MAIL FROM:<a@b.c>", "452 4.3.1 Insufficient system storage\r\n"}});
}

TEST_CASE("parameters of MAIL and RCPT", "[smtpd]")
{
    const char* mail = "EHLO x|MAIL FROM:<a@b.c>";
    check("", {
        {"EHLO x", "MAIL FROM:<a@b.c> RET=FULL ENVID=x+2By", "250 2.1.0 Ok\r\n"},
        {"EHLO x", "MAIL FROM:<a@b.c> ret=hdrs", "250 "},
        {"EHLO x", "MAIL FROM:<a@b.c> RET=SOME", "501 5.5.4 Bad RET parameter syntax\r\n"},
        {"EHLO x", "MAIL FROM:<a@b.c> RET=FULL RET=FULL", "501 5.5.4 Bad RET parameter syntax\r\n"},
        {"EHLO x", "MAIL FROM:<a@b.c> ENVID=a+1", "501 5.5.4 Bad ENVID parameter syntax\r\n"},
        {"EHLO x", "MAIL FROM:<a@b.c> ENVID=a ENVID=b", "501 5.5.4 Bad ENVID parameter syntax\r\n"},
        {"EHLO x", "MAIL FROM:<a@b.c> BODY=8BITMIME", "250 "},
        {"EHLO x", "MAIL FROM:<a@b.c> BODY=BINARYMIME", "555 5.5.4 Unsupported option: BODY=BINARYMIME\r\n"},
        {"EHLO x", "MAIL FROM:<a@b.c> REQUIRETLS", "555 5.5.4 Unsupported option: REQUIRETLS\r\n"},
        {"EHLO x", "MAIL FROM:<a@b.c> SIZE=10001", "552 5.3.4 Message size exceeds fixed limit\r\n"},
        {"EHLO x", "MAIL FROM:<\xc3\xa4@b.c>", "250 "},
        {mail, "RCPT TO:<ann@example.org> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;ann@example.net", "250 2.1.5 Ok\r\n"},
        {mail, "RCPT TO:<ann@example.org> NOTIFY=NEVER", "250 "},
        {mail, "RCPT TO:<ann@example.org> NOTIFY=NEVER,SUCCESS", "501 5.5.4 Error: Bad NOTIFY parameter syntax\r\n"},
        {mail, "RCPT TO:<ann@example.org> NOTIFY=", "501 5.5.4 "},
        {mail, "RCPT TO:<ann@example.org> ORCPT=ann@example.net", "501 5.5.4 Error: Bad ORCPT parameter syntax\r\n"},
        {mail, "RCPT TO:<ann@example.org> ORCPT=rfc822;a+1", "501 5.5.4 Error: Bad ORCPT parameter syntax\r\n"},
        {mail, "RCPT TO:<ann@example.org> COLOR=RED", "555 5.5.4 Unsupported option: COLOR=RED\r\n"},
    });
}

TEST_CASE("what DSN asks for goes into the envelope", "[smtpd]")
{
    Greeted talk;
    CHECK(talk.codes("MAIL FROM:<joe@example.net> RET=HDRS ENVID=QQ+2B314\r\nRCPT TO:<ann@example.org> NOTIFY=SUCCESS,FAILURE "
                     "ORCPT=rfc822;Bob+2Bx@example.net\r\nDATA\r\n") == "250 250 354");
    CHECK(talk.codes("Subject: x\r\n\r\n.\r\n") == "250");
    REQUIRE(talk.told("commit ID1"));
    talk.content("ID1");
    CHECK(talk.message.envelope.attribute("envid") == "QQ+314");
    CHECK(talk.message.envelope.attribute("ret") == "HDRS");
    REQUIRE(talk.message.envelope.recipients.size() == 1);
    CHECK(talk.message.envelope.recipients[0].notify == (spool::notify_success | spool::notify_failure));
    CHECK(talk.message.envelope.recipients[0].dsn_original == "rfc822;Bob+x@example.net");
}

TEST_CASE("ETRN asks the queue manager", "[smtpd]")
{
    Talk talk("relay_domains = example.net\n");
    talk.say("");
    CHECK(talk.say("ETRN example.net\r\n") == "250 Queuing started\r\n");
    CHECK(talk.told("command flush-site example.net"));
    CHECK(talk.say("ETRN @a.example.net\r\n") == "250 Queuing started\r\n");     // parent_domain_matches_subdomains
    CHECK(talk.say("ETRN example.com\r\n") == "459 <example.com>: service unavailable\r\n");
    CHECK(has(talk.log(), "warning: reject: ETRN example.com... from unknown[198.51.100.7]\n"));
    talk.manager->die();
    CHECK(talk.say("ETRN example.net\r\n") == "458 Unable to queue messages\r\n");
}

TEST_CASE("who speaks another protocol is shown the door", "[smtpd]")
{
    for (const char* line : {"GET / HTTP/1.1", "POST / HTTP/1.0", "CONNECT mail:25 HTTP/1.0", "get /", "Subject: hello", "\x16\x03\x01", "{\"json\": 1}"}) {
        CAPTURE(line);
        Talk talk;
        talk.say("");
        CHECK(talk.say(line + "\r\nHost: x\r\n"s) == "221 2.7.0 Error: I can break rules, too. Goodbye.\r\n");
        talk.say("");
        CHECK(talk.closed);
        CHECK(has(talk.log(), "warning: non-SMTP command from unknown[198.51.100.7]: "));
    }
    Talk talk("smtpd_forbidden_commands =\n");
    talk.say("");
    CHECK(talk.codes("GET / HTTP/1.1\r\n") == "500");
}

TEST_CASE("XCLIENT makes another client", "[smtpd]")
{
    const std::string allowed = "smtpd_authorized_xclient_hosts = 198.51.100.7\nsmtpd_client_port_logging = yes\n";
    check(allowed, {
        {"", "XCLIENT", "501 5.5.4 Syntax: XCLIENT attribute=value...\r\n"},
        {"", "XCLIENT NAME", "501 5.5.4 Error: attribute=value expected\r\n"},
        {"", "XCLIENT NAME=", "501 5.5.4 Error: attribute=value expected\r\n"},
        {"", "XCLIENT COLOR=red", "501 5.5.4 Bad XCLIENT attribute name: COLOR\r\n"},
        {"", "XCLIENT NAME=-x-", "501 5.5.4 Bad NAME syntax: -x-\r\n"},
        {"", "XCLIENT ADDR=1.2.3", "501 5.5.4 Bad ADDR syntax: 1.2.3\r\n"},
        {"", "XCLIENT PORT=99999", "501 5.5.4 Bad PORT syntax: 99999\r\n"},
        {"", "XCLIENT PROTO=HTTP", "501 5.5.4 Bad PROTO syntax: HTTP\r\n"},
        {"EHLO x|MAIL FROM:<a@b.c>", "XCLIENT NAME=x.example", "503 5.5.1 Error: MAIL transaction in progress\r\n"},
        {"", "XCLIENT NAME=[UNAVAILABLE] ADDR=192.0.2.9 PROTO=ESMTP", "220 mail.example.org ESMTP Rookpost\r\n"},
    });
    Talk talk(allowed);
    talk.say("");
    CHECK(talk.codes("EHLO me.example\r\n") == "250");
    CHECK(talk.codes("XCLIENT NAME=spike.example ADDR=IPv6:2001:db8::7 PORT=99 HELO=spike PROTO=ESMTP LOGIN=joe\r\n") == "220");
    CHECK(talk.codes("XCLIENT NAME=[UNAVAILABLE]\r\n") == "550");    // the new client may not
    CHECK(talk.codes("MAIL FROM:<a@b.c>\r\nRCPT TO:<ann@example.org>\r\nDATA\r\n") == "250 250 354");
    CHECK(talk.codes("Subject: x\r\n\r\n.\r\n") == "250");
    REQUIRE(talk.told("commit ID1"));
    CHECK(has(talk.content("ID1"), "Received: from spike (spike.example [IPv6:2001:db8::7])"));
    CHECK(has(talk.log(), "ID1: client=spike.example[2001:db8::7]:99, sasl_method=XCLIENT, sasl_username=joe\n"));
    CHECK(talk.message.envelope.attribute("client_address") == "2001:db8::7");
}

TEST_CASE("a client by XCLIENT is in our networks or not", "[smtpd]")
{
    Talk talk("smtpd_authorized_xclient_hosts = 198.51.100.7, 192.0.2.1\n");
    talk.say("");
    CHECK(talk.codes("EHLO x\r\nMAIL FROM:<a@b.c>\r\n"s.substr(0, 8)) == "250");
    CHECK(talk.codes("MAIL FROM:<a@b.c>\r\nRCPT TO:<far@elsewhere.example>\r\nRSET\r\n") == "250 554 250");
    CHECK(talk.codes("XCLIENT ADDR=192.0.2.1\r\n") == "220");
    CHECK(talk.codes("EHLO x\r\n") == "250");
    CHECK(talk.codes("MAIL FROM:<a@b.c>\r\nRCPT TO:<far@elsewhere.example>\r\n") == "250 250");
}

TEST_CASE("XFORWARD tells where the next message is from", "[smtpd]")
{
    const std::string allowed = "smtpd_authorized_xforward_hosts = 198.51.100.0/24\n";
    check(allowed, {
        {"", "XFORWARD", "501 5.5.4 Syntax: XFORWARD attribute=value...\r\n"},
        {"", "XFORWARD COLOR=red", "501 5.5.4 Bad XFORWARD attribute name: COLOR\r\n"},
        {"", "XFORWARD SOURCE=MOON", "501 5.5.4 Bad SOURCE syntax: MOON\r\n"},
        {"", "XFORWARD PORT=x", "501 5.5.4 Bad PORT syntax: x\r\n"},
        {"EHLO x|MAIL FROM:<a@b.c>", "XFORWARD NAME=x.example", "503 5.5.1 Error: MAIL transaction in progress\r\n"},
    });
    Talk talk(allowed);
    talk.say("");
    CHECK(talk.codes("EHLO filter.example\r\n") == "250");
    CHECK(talk.codes("XFORWARD NAME=spike.example ADDR=192.0.2.7 PORT=99\r\nXFORWARD PROTO=ESMTP HELO=spike IDENT=1234 SOURCE=REMOTE\r\n") == "250 250");
    CHECK(talk.codes("MAIL FROM:<a@b.c>\r\nRCPT TO:<ann@example.org>\r\nDATA\r\n") == "250 250 354");
    CHECK(talk.codes("Subject: x\r\n\r\n.\r\n") == "250");
    REQUIRE(talk.told("commit ID1"));
    CHECK(has(talk.content("ID1"), "Received: from filter.example (unknown [198.51.100.7])"));
    CHECK(talk.message.envelope.attribute("client_name") == "spike.example");
    CHECK(talk.message.envelope.attribute("helo_name") == "spike");
    CHECK(has(talk.log(), "ID1: client=unknown[198.51.100.7], orig_queue_id=1234, orig_client=spike.example[192.0.2.7]\n"));
    // Only the next one.
    CHECK(talk.codes("MAIL FROM:<a@b.c>\r\nRCPT TO:<ann@example.org>\r\nDATA\r\n") == "250 250 354");
    CHECK(talk.codes(".\r\n") == "250");
    REQUIRE(talk.told("commit ID2"));
    talk.content("ID2");
    CHECK(talk.message.envelope.attribute("client_name") == "unknown");
}

TEST_CASE("a proxy before us says who the client is", "[smtpd]")
{
    const std::string proxied = "smtpd_upstream_proxy_protocol = haproxy\nsmtpd_upstream_proxy_timeout = 1s\n";
    SECTION("a client of ours")
    {
        Talk talk(proxied);
        CHECK(talk.codes("PROXY TCP4 192.0.2.5 127.0.0.1 4660 25\r\n") == "220");
        CHECK(talk.codes("EHLO x\r\n") == "250");
        CHECK(talk.codes("MAIL FROM:<a@b.c>\r\nRCPT TO:<far@elsewhere.example>\r\n") == "250 250");
        CHECK(has(talk.log(), "connect from unknown[192.0.2.5]\n"));
    }
    SECTION("the proxy itself")
    {
        Talk talk(proxied);
        CHECK(talk.codes("PROXY UNKNOWN\r\n") == "220");
        CHECK(has(talk.log(), "connect from unknown[198.51.100.7]\n"));
    }
    SECTION("no proxy")
    {
        Talk talk(proxied);
        CHECK(talk.codes("EHLO client.example.org\r\n") == "421");
        talk.say("");
        CHECK(talk.closed);
        CHECK(has(talk.log(), "warning: haproxy read: unrecognized protocol header"));
    }
    SECTION("silence")
    {
        Talk talk(proxied);
        CHECK(talk.codes("") == "421");
        CHECK(has(talk.log(), "warning: haproxy read: timeout error"));
    }
}

TEST_CASE("LMTP: a reply for each recipient", "[smtpd]")
{
    Talk talk("smtpd_protocol = lmtp\n");
    CHECK(talk.codes("") == "220");
    CHECK(talk.codes("EHLO x\r\n") == "500");
    CHECK(talk.codes("HELO x\r\n") == "500");
    std::string reply = talk.say("LHLO x\r\n");
    CHECK(has(reply, "250-PIPELINING\r\n"));
    CHECK_FALSE(has(reply, "ETRN"));
    CHECK(talk.codes("MAIL FROM:<a@b.c>\r\nRCPT TO:<ann@example.org>\r\nRCPT TO:<far@elsewhere.example>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n") ==
          "250 250 554 250 354");
    CHECK(talk.say("Subject: x\r\n\r\n.\r\n") == "250 2.0.0 Ok: queued as ID1\r\n250 2.0.0 Ok: queued as ID1\r\n");
    CHECK(has(talk.content("ID1"), " with LMTP id ID1"));
    CHECK(talk.codes("MAIL FROM:<a@b.c>\r\nRCPT TO:<ann@example.org>\r\nRCPT TO:<bob@example.org>\r\nBDAT 2 LAST\r\nx\n") == "250 250 250 250 250");
    CHECK(talk.codes("QUIT\r\n") == "221");
}

TEST_CASE("BDAT after a refused BDAT", "[smtpd]")
{
    Greeted talk;
    CHECK(talk.codes("MAIL FROM:<a@b.c>\r\nRCPT TO:<ann@example.org>\r\n") == "250 250");
    CHECK(talk.say("BDAT 0\r\n") == "551 5.7.1 Null BDAT request\r\n");
    CHECK(talk.say("MAIL FROM:<a@b.c>\r\n") == "503 5.5.1 Error: MAIL after BDAT\r\n");
    CHECK(talk.say("BDAT 4\r\nquit") == "551 5.0.0 Discarded 4 bytes after earlier error\r\n");
    CHECK(talk.codes("RSET\r\nMAIL FROM:<a@b.c>\r\n") == "250 250");
    CHECK(talk.codes("RCPT TO:<ann@example.org>\r\nBDAT 3\r\nabc") == "250 250");
    CHECK(talk.say("BDAT 1000000 LAST\r\n") == "552 5.3.4 Chunk exceeds message size limit\r\n");
    talk.say("");
    CHECK(talk.closed);
    CHECK(talk.commits() == 0);
}

namespace {

// Takes a message whose content holds `end` and behind it a second message. Returns the number of messages queued.
size_t smuggle(Talk& talk, const std::string& end)
{
    CHECK(talk.codes("MAIL FROM:<a@b.c>\r\nRCPT TO:<ann@example.org>\r\nDATA\r\n") == "250 250 354");
    talk.codes("Subject: x\r\n\r\nbody" + end + "MAIL FROM:<evil@b.c>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\nsecond\r\n.\r\n");
    talk.codes("NOOP\r\n");
    return talk.commits();
}

const std::string false_ends[] = {"\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r.\n", "\r.\r\n", "\r\n.\r", "\n.\r", "\r\n.\r\r\n", "\r\n\0.\r\n"s, "\r\n.\0\r\n"s,
                                  "\0\r\n.\r\0\n"s, "\r\n\r.\r\n", "\n\n.\n\n", "\r\n .\r\n", "\r\n. \r\n"};

} // namespace

TEST_CASE("no false end of data ends a message", "[smtpd]")
{
    for (const char* word : {"normalize", "yes", "note", "reject"})
        for (const auto& end : false_ends) {
            CAPTURE(word, end);
            Greeted talk("smtpd_forbid_bare_newline = "s + word + "\n");
            bool bare = false;
            for (size_t at = end.find('\n'); at != std::string::npos; at = end.find('\n', at + 1)) bare |= at == 0 || end[at - 1] != '\r';
            size_t expected = word == "reject"s && bare ? 0 : 1;
            CHECK(smuggle(talk, end) == expected);
            CHECK(talk.manager->asked.size() == 1);
            talk.say("QUIT\r\n");
            CHECK(has(talk.log(), " notes=bare_lf\n") == (word == "note"s && bare));
            if (expected == 0) CHECK(has(talk.log(), "END-OF-MESSAGE from unknown[198.51.100.7]: 550 5.5.2 mail.example.org Error: bare <LF> received"));
        }
}

TEST_CASE("where bare newlines are allowed they end a message as before", "[smtpd]")
{
    for (const char* settings : {"smtpd_forbid_bare_newline = no\n", "smtpd_forbid_bare_newline = reject\nsmtpd_forbid_bare_newline_exclusions = 198.51.100.7\n"})
        for (const auto& end : {"\n.\n"s, "\n.\r\n"s, "\r\n.\n"s}) {
            CAPTURE(settings, end);
            Greeted talk(settings + "smtpd_forbid_unauth_pipelining = no\n"s);
            CHECK(smuggle(talk, end) == 2);
        }
}

TEST_CASE("commands that end in a bare newline", "[smtpd]")
{
    Talk strict("smtpd_forbid_bare_newline = reject\nsmtpd_forbid_bare_newline_reject_code = 554\n");
    strict.say("");
    CHECK(strict.say("EHLO x\n") == "554 5.5.2 mail.example.org Error: bare <LF> received\r\n");
    strict.say("");
    CHECK(strict.closed);
    Talk lenient;
    lenient.say("");
    CHECK(lenient.codes("EHLO x\n") == "250");
}

TEST_CASE("who talks before the greeting is not listened to", "[smtpd]")
{
    Talk talk("smtpd_client_connection_count_limit = 0\n");
    talk.say("");
    int both[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both) == 0);
    talk.client = base::Fd(both[1]);
    base::write_all(talk.client.get(), "EHLO early\r\n", "client");
    talk.nursery.start(smtpd::serve(net::Stream(base::Fd(both[0]), *net::Address::parse_ip("198.51.100.8", 1)), *talk.service));
    CHECK(talk.say("") == "554 5.5.0 Error: SMTP protocol synchronization\r\n");
    CHECK(has(talk.log(), "improper command pipelining after CONNECT from unknown[198.51.100.8]: EHLO early"));
}

namespace {

// A further connection to the same service; talks through talk.client.
void connect_again(Talk& talk, const char* address)
{
    talk.client.reset();
    run_rounds();
    int both[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both) == 0);
    talk.client = base::Fd(both[1]);
    talk.closed = false;
    talk.nursery.start(smtpd::serve(net::Stream(base::Fd(both[0]), *net::Address::parse_ip(address, 1)), *talk.service));
}

} // namespace

TEST_CASE("rates of a client", "[smtpd]")
{
    SECTION("connections")
    {
        Talk talk("smtpd_client_connection_rate_limit = 2\nsmtpd_client_event_limit_exceptions = 192.0.2.1\n");
        CHECK(talk.codes("") == "220");
        connect_again(talk, "198.51.100.7");
        CHECK(talk.codes("") == "220");
        connect_again(talk, "198.51.100.7");
        CHECK(talk.say("") == "421 4.7.0 mail.example.org Error: too many connections from 198.51.100.7\r\n");
        CHECK(has(talk.log(), "warning: Connection rate limit exceeded: 3 from unknown[198.51.100.7] for service smtpd\n"));
        connect_again(talk, "198.51.100.8");
        CHECK(talk.codes("") == "220");
        for (int i = 0; i < 4; ++i) {
            connect_again(talk, "192.0.2.1");
            CHECK(talk.codes("") == "220");
        }
    }
    SECTION("messages")
    {
        Greeted talk("smtpd_client_message_rate_limit = 1\n");
        CHECK(talk.codes("MAIL FROM:<a@b.c>\r\nRSET\r\n") == "250 250");
        CHECK(talk.say("MAIL FROM:<a@b.c>\r\n") == "450 4.7.1 Error: too much mail from 198.51.100.7\r\n");
        CHECK(has(talk.log(), "warning: Message delivery request rate limit exceeded: 2 from unknown[198.51.100.7] for service smtpd\n"));
    }
    SECTION("recipients")
    {
        Greeted talk("smtpd_client_recipient_rate_limit = 2\n");
        CHECK(talk.codes("MAIL FROM:<a@b.c>\r\nRCPT TO:<ann@example.org>\r\nVRFY ann\r\n") == "250 250 252");
        CHECK(talk.say("RCPT TO:<bob@example.org>\r\n") == "450 4.7.1 Error: too many recipients from 198.51.100.7\r\n");
        CHECK(has(talk.log(), "warning: Recipient address rate limit exceeded: 3 from unknown[198.51.100.7] for service smtpd\n"));
    }
    SECTION("networks count as one")
    {
        CHECK(smtpd::client_range("192.0.2.77", 32, 84) == "192.0.2.77");
        CHECK(smtpd::client_range("192.0.2.77", 24, 84) == "192.0.2.0/24");
        CHECK(smtpd::client_range("192.0.2.77", 0, 84) == "0.0.0.0/0");
        CHECK(smtpd::client_range("2001:db8:1:2:3:ffff::1", 32, 84) == "2001:db8:1:2:3:f000::/84");
        CHECK(smtpd::client_range("2001:db8::1", 32, 128) == "2001:db8::1");
        CHECK(smtpd::client_range("unknown", 32, 84) == "unknown");
    }
}

TEST_CASE("a request must be over in time", "[smtpd]")
{
    Talk talk("smtpd_timeout = 1s\nsmtpd_per_request_deadline = yes\nsmtpd_min_data_rate = 1\n");
    CHECK(talk.codes("") == "220");
    // Byte by byte does not help.
    std::string reply;
    auto end = base::steady_now() + std::chrono::seconds(4);
    while (reply.empty() && !talk.closed && base::steady_now() < end) {
        char part[1000];
        if (::send(talk.client.get(), "x", 1, MSG_NOSIGNAL) < 0) break;
        async::loop().run_once(async::Limit(20));
        ssize_t got = ::recv(talk.client.get(), part, sizeof part, MSG_DONTWAIT);
        if (got > 0) reply.assign(part, static_cast<size_t>(got));
    }
    CHECK(reply == "421 4.4.2 mail.example.org Error: timeout exceeded\r\n");
}

TEST_CASE("a session may be kept out of Received", "[smtpd]")
{
    Greeted talk("smtpd_hide_client_session = yes\n");
    CHECK(talk.codes("MAIL FROM:<a@b.c>\r\nRCPT TO:<ann@example.org>\r\nDATA\r\n") == "250 250 354");
    CHECK(talk.codes("Subject: x\r\n\r\n.\r\n") == "250");
    REQUIRE(talk.told("commit ID1"));
    CHECK(talk.content("ID1").find("Received: by mail.example.org (Rookpost) id ID1; ") == 0);
}

TEST_CASE("the sendmail command need not say SMTPUTF8", "[smtpd]")
{
    for (bool detect : {true, false}) {
        CAPTURE(detect);
        Talk talk("smtputf8_enable = yes\n"s + (detect ? "" : "smtputf8_autodetect_classes =\n"), true);
        talk.say("");
        CHECK(talk.codes("EHLO x\r\nMAIL FROM:<joe@example.org>\r\nRCPT TO:<\xc3\xa4@example.org>\r\nBDAT 2 LAST\r\n\r\n") == "250 250 250 250");
        REQUIRE(talk.told("commit ID1"));
        talk.content("ID1");
        CHECK(((talk.message.head.content_flags & spool::content_utf8) != 0) == detect);
    }
}
