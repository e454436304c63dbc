// master_cf: every form of a line that is in use, and every slip with its line.
#include "catch.h"

#include "config/master_cf.h"

#include "folder.h"

using config::Error;
using config::MasterTable;
using config::Service;
using namespace std::chrono_literals;
using Strings = std::vector<std::string>;

namespace {

Service one(const std::string& text)
{
    auto table = MasterTable::parse(text, "master.cf");
    REQUIRE(table.services.size() == 1);
    return table.services[0];
}

} // namespace

TEST_CASE("columns")
{
    Service smtp = one("smtp      inet  n       -       y       -       -       smtpd\n");
    CHECK(smtp.name == "smtp");
    CHECK(smtp.type == Service::Type::inet);
    CHECK(smtp.private_ == false);
    CHECK(!smtp.unprivileged);
    CHECK(smtp.chroot == true);
    CHECK(!smtp.wakeup);
    CHECK(smtp.maxproc == -1);
    CHECK(smtp.command == "smtpd");
    CHECK(smtp.arguments.empty());
    CHECK(smtp.line == 1);
    CHECK(one("pickup unix n - n 60 1 pickup\n").wakeup == 60s);
    CHECK(one("pickup unix n - n 60 1 pickup\n").maxproc == 1);
    CHECK(one("flush unix n - n 1000? 0 flush\n").wakeup == 1000s);
    CHECK(one("flush unix n - n 1000? 0 flush\n").wakeup_optional);
    CHECK(one("flush unix n - n 1000? 0 flush\n").maxproc == 0);
    CHECK(!one("flush unix n - n 0 0 flush\n").wakeup);
    CHECK(one("smtpd pass - - n - - smtpd\n").type == Service::Type::pass);
    CHECK(one("pickup fifo n - n 60 1 pickup\n").type == Service::Type::fifo);
    CHECK(one("postlog unix-dgram n - n - 1 postlogd\n").type == Service::Type::unix_dgram);
}

TEST_CASE("names of inet services")
{
    for (auto name :
         {"smtp", "25", "127.0.0.1:10025", "localhost:smtp", "[::1]:25", "[2001:db8::1]:submission", "inet6-only"}) {
        CAPTURE(name);
        CHECK(one(std::string(name) + " inet n - n - - smtpd\n").name == name);
    }
}

TEST_CASE("arguments, -o in all forms, -v and -D")
{
    Service service = one("submission inet n - n - - smtpd -v\n"
                          "  -o syslog_name=postfix/submission\n"
                          "# a comment between\n"
                          "  -osmtpd_tls_security_level=encrypt\n\n"
                          "  -o { smtpd_recipient_restrictions = permit_sasl_authenticated, reject }\n"
                          "  -o smtpd_client_restrictions=\n"
                          "  -o {a={b c}} -vv -vD\n");
    CHECK(service.overrides ==
          std::vector<config::Override>{{"syslog_name", "postfix/submission"},
                                        {"smtpd_tls_security_level", "encrypt"},
                                        {"smtpd_recipient_restrictions", "permit_sasl_authenticated, reject"},
                                        {"smtpd_client_restrictions", ""},
                                        {"a", "{b c}"}});
    CHECK(service.verbose == 4);
    CHECK(service.debug);
    CHECK(service.plain_arguments().empty());
}

TEST_CASE("foreign services")
{
    Service pipe = one("dovecot unix - n n - - pipe\n  flags=DRhu user=vmail:vmail null_sender=\n"
                       "  argv=/usr/lib/dovecot/deliver -o x -f ${sender} -d ${recipient}\n");
    CHECK(pipe.overrides.empty());
    CHECK(pipe.plain_arguments() == Strings{"flags=DRhu", "user=vmail:vmail",
                                            "null_sender=", "argv=/usr/lib/dovecot/deliver", "-o", "x", "-f",
                                            "${sender}", "-d", "${recipient}"});
    Service policy = one("policyd-spf unix - n n - 0 spawn user=policyd-spf argv=/usr/bin/policyd-spf\n");
    CHECK(policy.plain_arguments() == Strings{"user=policyd-spf", "argv=/usr/bin/policyd-spf"});
    for (auto line :
         {"smtp inet n - y - 1 postscreen", "dnsblog unix - - y - 0 dnsblog", "tlsproxy unix - - y - 0 tlsproxy",
          "cleanup unix n - y - 0 cleanup", "tlsmgr unix - - y 1000? 1 tlsmgr",
          "rewrite unix - - y - - trivial-rewrite", "bounce unix - - y - 0 bounce", "verify unix - - y - 1 verify",
          "proxymap unix - - n - - proxymap", "proxywrite unix - - n - 1 proxymap", "showq unix n - y - - showq",
          "anvil unix - - y - 1 anvil", "scache unix - - y - 1 scache", "qmgr unix n - n 300 1 oqmgr",
          "retry unix - - y - - error", "smtp-amavis unix - - n - 2 lmtp -o lmtp_data_done_timeout=1200",
          "628 inet n - y - - qmqpd",
          "uucp unix - n n - - pipe flags=Fqhu user=uucp argv=uux -r -n -z -a$sender - $nexthop!rmail ($recipient)",
          "mailman unix - n n - - pipe flags=FRX user=list argv={ /usr/bin/x y } ${nexthop}"}) {
        CAPTURE(line);
        CHECK_NOTHROW(one(std::string(line) + "\n"));
    }
}

TEST_CASE("the last of two entries counts")
{
    auto table = MasterTable::parse(
        "smtp inet n - n - - smtpd\nsmtp unix - - n - - smtp\nsmtp inet n - n - 1 postscreen\n", "master.cf");
    CHECK(table.services.size() == 2);
    CHECK(table.find("smtp", Service::Type::inet)->command == "postscreen");
    CHECK(table.find("smtp", Service::Type::unix_socket)->command == "smtp");
    CHECK(table.find("smtp", Service::Type::pass) == nullptr);
    REQUIRE(table.warnings.size() == 1);
    CHECK(table.warnings[0] == "master.cf:3: duplicate service smtp/inet: the last entry counts (earlier: line 1)");
}

TEST_CASE("slips name file, line and what was expected")
{
    struct Case {
        std::string text, message;
    };
    auto [text, message] = GENERATE(
        Case{"\nsmtp inet n - n - smtpd\n",
             "master.cf:2: 7 columns, expected 8: service type private unprivileged chroot wakeup maxproc command"},
        Case{"smtp tcp n - n - - smtpd\n",
             "master.cf:1: bad type column \"tcp\", expected inet, unix, unix-dgram, fifo or pass"},
        Case{"smtp inet x - n - - smtpd\n", "master.cf:1: bad private column \"x\", expected y, n or -"},
        Case{"smtp inet y - n - - smtpd\n",
             "master.cf:1: bad private column \"y\", expected n or - for an inet service"},
        Case{"smtp unix - yes n - - smtp\n", "master.cf:1: bad unprivileged column \"yes\", expected y, n or -"},
        Case{"smtp unix - - n 5x - smtp\n",
             "master.cf:1: bad wakeup column \"5x\", expected a time, a time and \"?\", or -"},
        Case{"smtp unix - - n -? - smtp\n",
             "master.cf:1: bad wakeup column \"-?\", expected a time, a time and \"?\", or -"},
        Case{"smtp unix - - n - -1 smtp\n", "master.cf:1: bad maxproc column \"-1\", expected a number from 0, or -"},
        Case{"smtp unix - - n - - /bin/sh\n",
             "master.cf:1: bad command column \"/bin/sh\", expected a program's name without a path"},
        Case{"../x unix - - n - - smtp\n", "master.cf:1: bad service name \"../x\", expected a name without a path"},
        Case{"::1:25 inet n - n - - smtpd\n",
             "master.cf:1: bad service name \"::1:25\", expected port, host:port or [address]:port"},
        Case{"smtp unix - - n - - smtp\n -o\n", "master.cf:1: bad argument \"-o\", expected name=value behind -o"},
        Case{"smtp unix - - n - - smtp -o x\n",
             "master.cf:1: bad -o argument \"x\", expected name=value or { name = value }"},
        Case{"smtp unix - - n - - smtp -o { a b = c }\n",
             "master.cf:1: bad -o argument \"a b = c\", expected name=value or { name = value }"},
        Case{"smtp unix - - n - - smtp -o { a = b\n", "master.cf:1: \"{\" without \"}\" at \"{ a = b\""},
        Case{"smtp unix - - n - - smtp -o {a=b}c\n", "master.cf:1: text behind \"}\" at \"c\", expected white space"},
        Case{"  smtp unix\n",
             "master.cf:1: white space before \"smtp unix\", expected a first line that begins in column one"});
    std::string found = "(none)";
    try {
        MasterTable::parse(text, "master.cf");
    } catch (const Error& error) {
        found = error.what();
    }
    CHECK(found == message);
}

TEST_CASE("a missing file is an error")
{
    test::Folder folder;
    CHECK_THROWS_AS(MasterTable::load(folder.path), Error);
    folder.write("master.cf", "# nothing\n");
    CHECK(MasterTable::load(folder.path).services.empty());
}

TEST_CASE("the master.cf that we install")
{
    auto table = MasterTable::load(SOURCE_DIR "/conf");
    CHECK(table.warnings.empty());
    for (auto name : {"smtp", "submission", "submissions", "imap", "imaps", "pop3", "pop3s"}) {
        CAPTURE(name);
        CHECK(table.find(name, Service::Type::inet));
    }
    for (auto name : {"pickup", "qmgr", "smtp", "relay", "lmtp", "local", "virtual", "error", "retry", "discard",
                      "auth", "imap", "pop3"}) {
        CAPTURE(name);
        CHECK(table.find(name, Service::Type::unix_socket));
    }
}
