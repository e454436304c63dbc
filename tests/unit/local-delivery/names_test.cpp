// The parts of recipients, and what is made of them.
#include "catch.h"

#include "exit_status.h"
#include "command.h"
#include "content.h"
#include "world.h"

TEST_CASE("recipients have a user, an extension and a domain", "[local-delivery]")
{
    auto config = test_config("recipient_delimiter = +-\n");
    struct Case {
        const char *address, *local, *user, *extension, *delimiter, *domain;
    };
    const Case cases[] = {
        {"anna@host", "anna", "anna", "", "", "host"},
        {"Anna+Shop@Host", "anna+shop", "anna", "shop", "+", "host"},
        {"anna-shop@host", "anna-shop", "anna", "shop", "-", "host"},
        {"owner-list@host", "owner-list", "owner-list", "", "", "host"},
        {"anna+a/../b@host", "anna+a/../b", "anna", "", "", "host"},
        {"anna", "anna", "anna", "", "", ""},
        {"", "", "", "", "", ""},
    };
    for (const Case& each : cases) {
        CAPTURE(each.address);
        Parts parts = parts_of(each.address, config);
        CHECK(parts.local == each.local);
        CHECK(parts.user == each.user);
        CHECK(parts.extension == each.extension);
        CHECK(parts.delimiter == each.delimiter);
        CHECK(parts.domain == each.domain);
    }
}

TEST_CASE("forward_path names the places of .forward files", "[local-delivery]")
{
    sandbox::User anna{"anna", 1000, 1000, "/home/anna", "/bin/sh", ""};
    auto paths = [&](const std::string& parameters, const std::string& address) {
        auto config = test_config("recipient_delimiter = +\n" + parameters);
        std::string text;
        for (const auto& path : forward_paths(config, parts_of(address, config), anna)) text += path.path + (path.names_extension ? "! " : " ");
        return text;
    };
    CHECK(paths("", "anna@host") == "/home/anna/.forward ");
    CHECK(paths("", "anna+shop@host") == "/home/anna/.forward+shop! /home/anna/.forward ");
    CHECK(paths("", "anna+$user$(x)@host") == "/home/anna/.forward+_user__x_! /home/anna/.forward ");
    CHECK(paths("forward_path = /var/forward/$user, relative/$user\n", "anna@host") == "/var/forward/anna ");
    CHECK(paths("forward_path =\n", "anna@host") == "");
    CHECK(paths("forward_path = ${home}/f${extension?-$extension}\n", "anna@host") == "");
}

TEST_CASE("commands know the recipient, and no character can harm a shell", "[local-delivery]")
{
    auto config = test_config("recipient_delimiter = +\nexport_environment = A=b NOT_SET_ANYWHERE\n");
    spool::Deliver job;
    job.client_address = "192.0.2.1";
    job.client_name = "x`id`";
    spool::Recipient recipient;
    recipient.address = "anna+shop@host";
    recipient.original = "list@host";
    sandbox::User anna{"anna", 1000, 1000, "/home/anna", "", ""};
    auto list = environment(config, job, recipient, "", parts_of(recipient.address, config), &anna);
    std::set<std::string> have(list.begin(), list.end());
    for (const char* item : {"PATH=/usr/bin:/bin", "HOME=/home/anna", "LOGNAME=anna", "USER=anna", "SHELL=/bin/sh", "SENDER=MAILER-DAEMON",
                             "RECIPIENT=anna+shop@host", "ORIGINAL_RECIPIENT=list@host", "LOCAL=anna+shop", "DOMAIN=host", "EXTENSION=shop",
                             "CLIENT_ADDRESS=192.0.2.1", "CLIENT_HOSTNAME=x_id_", "A=b"}) {
        CAPTURE(item);
        CHECK(have.count(item) == 1);
    }
    CHECK(have.size() == 14);
    auto plain = environment(config, job, recipient, "a@b", parts_of("list@host", config), nullptr);
    for (const auto& item : plain) CHECK(!item.starts_with("HOME="));
}

TEST_CASE("the end of a command decides about the mail", "[local-delivery]")
{
    struct Case {
        int code, signal;
        const char *output, *dsn, *text;
    };
    const Case cases[] = {
        {0, 0, "", "2.0.0", "delivered to command: cmd"},
        {0, 0, "filed", "2.0.0", "delivered to command: cmd (filed)"},
        {75, 0, "disk full", "4.3.0", "temporary failure. Command output: disk full"},
        {75, 0, "", "4.3.0", "temporary failure"},
        {71, 0, "", "4.3.0", "system resource problem"},
        {67, 0, "", "5.1.1", "user unknown"},
        {65, 0, "", "5.6.0", "data format error"},
        {77, 0, "", "5.7.0", "permission denied"},
        {78, 0, "", "5.3.5", "local configuration error"},
        {1, 0, "oops", "5.3.0", "Command died with status 1: \"cmd\". Command output: oops"},
        {127, 0, "", "5.3.0", "Command died with status 127: \"cmd\""},
        {0, 9, "", "4.3.0", "Command died with signal 9: \"cmd\""},
        {1, 0, "5.7.1 not for you", "5.7.1", "not for you"},
        {1, 0, "4.2.2 over quota", "4.2.2", "over quota"},
        {1, 0, "5.7777.1 x", "5.3.0", "Command died with status 1: \"cmd\". Command output: 5.7777.1 x"},
        {1, 0, "2.0.0 fine", "5.3.0", "Command died with status 1: \"cmd\". Command output: 2.0.0 fine"},
    };
    for (const Case& each : cases) {
        CAPTURE(each.code, each.signal, each.output);
        async::ExitStatus status;
        status.code = each.code;
        status.signal = each.signal;
        Report report = judge(status, "cmd", "delivered to command: cmd", each.output);
        CHECK(report.dsn == each.dsn);
        CHECK(report.text == each.text);
        char kind = report.status == spool::Outcome::delivered ? '2' : report.status == spool::Outcome::deferred ? '4' : '5';
        CHECK(report.dsn[0] == kind);
    }
    CHECK(one_line("  first\r\n\n second \x01 third\n") == "first second ? third");
    CHECK(one_line(std::string(5000, 'x')).size() <= 1000);
}

TEST_CASE("a shell is started only where one is needed", "[local-delivery]")
{
    auto words = [](const std::string& command, const std::string& shell = "") { return base::join(command_words(command, shell), "|"); };
    CHECK(words("/bin/cat -u  file") == "/bin/cat|-u|file");
    CHECK(words("exit 75") == "/bin/sh|-c|exit 75");
    CHECK(words("/bin/cat > file") == "/bin/sh|-c|/bin/cat > file");
    CHECK(words("/bin/cat", "/usr/sbin/smrsh -c") == "/usr/sbin/smrsh|-c|/bin/cat");
}

TEST_CASE("a header tells whether mail was here", "[local-delivery]")
{
    std::string message = "Delivered-To: A@Host.example\r\nSubject: x\r\nDelivered-To:\r\n \"a b\"@host\r\n\r\nDelivered-To: body@host\r\n";
    CHECK(was_delivered_to(message, "a@host.example"));
    CHECK(was_delivered_to(message, "a b@host"));
    CHECK(!was_delivered_to(message, "body@host"));
    CHECK(!was_delivered_to(message, "subject"));
    CHECK(!was_delivered_to("", "a@b"));
}
