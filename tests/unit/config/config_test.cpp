// config: main.cf from text to typed values; every mistake names its line.
#include "catch.h"

#include "config/config.h"

#include "folder.h"

#include <cstdlib>

using config::Config;
using config::Error;
using namespace std::chrono_literals;
using Strings = std::vector<std::string>;

namespace {

Config read(const std::string& text, const std::vector<config::Override>& overrides = {})
{
    return Config::parse(text, "main.cf", overrides);
}

std::string mistake(const std::string& text)
{
    try {
        read(text);
    } catch (const Error& error) {
        return error.what();
    }
    return "(none)";
}

bool warns(const Config& config, std::string_view text)
{
    for (const auto& warning : config.warnings)
        if (warning.find(text) != warning.npos) return true;
    return false;
}

} // namespace

TEST_CASE("defaults are Postfix's")
{
    Config config = read("compatibility_level = 3.6\nmyhostname = mail.example.org\n");
    CHECK(config.warnings.empty());
    CHECK(config.mydomain == "example.org");
    CHECK(config.myorigin == "mail.example.org");
    CHECK(config.mydestination == Strings{"mail.example.org", "localhost.example.org", "localhost"});
    CHECK(config.smtpd_timeout == 300s);
    CHECK(config.maximal_queue_lifetime == 5 * 24h);
    CHECK(config.message_size_limit == 10240000);
    CHECK(config.smtpd_relay_restrictions ==
          Strings{"permit_mynetworks", "permit_sasl_authenticated", "defer_unauth_destination"});
    CHECK(config.smtpd_banner == "mail.example.org ESMTP Rookpost");
    CHECK(config.syslog_name == "postfix");
    CHECK(config.forward_path == "$home/.forward${recipient_delimiter}${extension}, $home/.forward");
    CHECK(config.relay_domains.empty());
    CHECK(config.sandbox);
    CHECK(config.ssl_cert.empty());
}

TEST_CASE("every default of the table is a value of its type and within its bounds")
{
    CHECK_NOTHROW(read(""));
    CHECK_NOTHROW(read("", {{"stress", "yes"}}));
    Config config = read("");
    for (const config::Row& row : config::table()) {
        CAPTURE(row.name);
        CHECK_NOTHROW(config.find(row.name));
        CHECK(!row.text.empty());
        CHECK(row.text.back() == '.');
    }
}

TEST_CASE("logical lines")
{
    Config config = read(
        "# comment\n\nsmtpd_recipient_restrictions =\n"
        "    permit_mynetworks,\n# inside\n\n\treject_unauth_destination\n  # indented comment\n\n"
        "mydestination=a.example,\n  b.example\nmyhostname   =   mail.example.org   \nempty_one =\nbanner2 = a=b=c\n"
        "relayhost = $empty_one$banner2\n");
    CHECK(config.smtpd_recipient_restrictions == Strings{"permit_mynetworks", "reject_unauth_destination"});
    CHECK(config.mydestination == Strings{"a.example", "b.example"});
    CHECK(config.myhostname == "mail.example.org");
    CHECK(config.find("empty_one") == "");
    CHECK(config.find("banner2") == "a=b=c");
    CHECK(config.settings.at("mydestination").line == 10);
    CHECK(read("myhostname = a.b\r\nrelayhost = x\r\n").myhostname == "a.b");
    CHECK(read("myhostname = a.b").myhostname == "a.b");
}

TEST_CASE("the last entry wins, with a warning")
{
    Config config = read("relayhost = a\nrelayhost = b\n");
    CHECK(config.relayhost == "b");
    CHECK(warns(config, "main.cf:2: overriding earlier entry: relayhost=a"));
}

TEST_CASE("mistakes name file, line and what was expected")
{
    struct Case {
        std::string text, message;
    };
    auto [text, message] = GENERATE(
        Case{"a\n", "main.cf:1: \"a\" has no \"=\", expected name = value"},
        Case{"\n\n= b\n", "main.cf:3: no name before \"=\", expected name = value"},
        Case{"a b = c\n", "main.cf:1: white space inside the name \"a b\", expected name = value"},
        Case{" a = b\n", "main.cf:1: white space before \"a = b\", expected a first line that begins in column one"},
        Case{std::string("a = b\nx\0y = z\n", 14), "main.cf:2: a NUL byte, expected text"},
        Case{"smtp_data_xfer_timeout = 1800s # default\n",
             "main.cf:1: smtp_data_xfer_timeout = 1800s # default: bad value, expected a time such as 300s, 5m, 2h, "
             "1d, 1w (a comment needs a "
             "line of its own)"},
        Case{"smtpd_timeout = 0\n", "main.cf:1: smtpd_timeout = 0: bad value, expected at least 1s"},
        Case{"maximal_queue_lifetime = 101\n",
             "main.cf:1: maximal_queue_lifetime = 101: bad value, expected at most 8640000s"},
        Case{"#\nsmtpd_helo_required = true\n", "main.cf:2: smtpd_helo_required = true: bad value, expected yes or no"},
        Case{"message_size_limit = 10MB\n", "main.cf:1: message_size_limit = 10MB: bad value, expected a whole number"},
        Case{"message_size_limit = -1\n", "main.cf:1: message_size_limit = -1: bad value, expected at least 0"},
        Case{"smtpd_banner = ${myhostname\n", "main.cf:1: smtpd_banner: missing \"}\" at \"{myhostname\""},
        Case{"mynetworks_style = all\n", "main.cf:1: mynetworks_style = all, expected host, subnet or class"},
        Case{"a = $b\nb = $a\nrelayhost = $a\n",
             "main.cf:3: relayhost: a value that refers to itself, expected an end at \"$b\""},
        Case{"mail_owner =\n", "main.cf:1: mail_owner is empty, expected a value"});
    CHECK(mistake(text) == message);
}

TEST_CASE("a mistake in -o names the option")
{
    CHECK_THROWS_AS(read("", {{"smtpd_timeout", "x"}}), Error);
    try {
        read("", {{"smtpd_timeout", "x"}});
    } catch (const Error& error) {
        CHECK(std::string(error.what()).find("-o smtpd_timeout=x: smtpd_timeout = x: bad value") == 0);
    }
}

TEST_CASE("units, overrides and names that programs make")
{
    Config config =
        read("maximal_queue_lifetime = 3\ndelay_warning_time = 4\nsmtp_helo_timeout = "
             "2m\nfoo_destination_recipient_limit = 7\n",
             {{"service_name", "relay"}, {"syslog_name", "postfix/$service_name"}, {"smtp_helo_timeout", "1"}});
    CHECK(config.maximal_queue_lifetime == 72h);
    CHECK(config.seconds("delay_warning_time") == 4h);
    CHECK(config.smtp_helo_timeout == 1s);
    CHECK(config.syslog_name == "postfix/relay");
    CHECK(config.number("foo_destination_recipient_limit") == 7);
    CHECK(config.number("bar_destination_recipient_limit") == 50);
    CHECK(config.number("bar_destination_concurrency_limit") == 20);
    CHECK(config.seconds("bar_destination_rate_delay") == 0s);
    CHECK(config.find("bar_time_limit") == "1000s");
    CHECK(!config.find("nobody_knows"));
    CHECK(config.expand("${service_name}!") == "relay!");
}

TEST_CASE("stress shortens times")
{
    CHECK(read("", {{"stress", "yes"}}).smtpd_timeout == 10s);
    CHECK(read("", {{"stress", ""}}).smtpd_timeout == 300s);
}

TEST_CASE("unknown names are named, and names in use are not")
{
    CHECK(warns(read("smtpd_baner = x\n"), "main.cf:1: unused parameter: smtpd_baner=x (did you mean smtpd_banner?)"));
    CHECK(read("mua_sender_restrictions = permit\nsmtpd_sender_restrictions = $mua_sender_restrictions\n")
              .warnings.empty());
    CHECK(read("smtpd_restriction_classes = greylist, strict\ngreylist = permit\nstrict = reject\n").warnings.empty());
    CHECK(read("podop = socketmap:unix:/tmp/podop.socket:\nvirtual_mailbox_maps = ${podop}mailbox\n").warnings.empty());
    CHECK(read("dovecot_destination_recipient_limit = 1\nmailman_time_limit = 5s\n").warnings.empty());
    CHECK(read("virtual_alias_maps = ldap:users\nusers_server_host = ldap.example.org\n").warnings.empty());
    CHECK(read("postscreen_blacklist_action = drop\n").warnings.empty());
}

TEST_CASE("parameters without effect are named, once")
{
    Config config = read("readme_directory = /usr/share/doc\nhtml_directory = no\n");
    CHECK(warns(config, "main.cf:1: readme_directory is accepted, but not carried out yet"));
    CHECK(config.warnings.size() == 1);
}

TEST_CASE("old yes/no parameters of TLS choose a level where none is set")
{
    CHECK(read("smtpd_use_tls = yes\n").smtpd_tls_security_level == "may");
    CHECK(read("smtpd_enforce_tls = yes\nsmtpd_use_tls = yes\n").smtpd_tls_security_level == "encrypt");
    CHECK(read("smtpd_use_tls = yes\nsmtpd_tls_security_level = none\n").smtpd_tls_security_level == "none");
    CHECK(read("smtp_use_tls = no\n").smtp_tls_security_level == "");
}

TEST_CASE("the machine's own values")
{
    Config config = read("");
    CHECK(config.myhostname.find('.') != std::string::npos);
    CHECK(!config.mydomain.empty());
    CHECK(config.mynetworks.front() == "127.0.0.0/8");
    CHECK(read("inet_protocols = ipv4\ninet_interfaces = loopback-only\n").mynetworks == Strings{"127.0.0.0/8"});
    CHECK(read("mydomain = example.org\nmyhostname = mail\n").myhostname == "mail");
}

TEST_CASE("a folder is read, and read again")
{
    test::Folder folder;
    folder.write("mailname", "example.net\n");
    folder.write("main.cf",
                 "myorigin = " + folder.path + "/mailname\nused_there = 5\nidle_name = 6\nnobody_time_limit = 5s\n");
    folder.write("master.cf", "smtp inet n - n - - smtpd -o smtpd_banner=$used_there -o not_a_name=1\n");
    Config config = Config::load(folder.path);
    CHECK(config.folder == folder.path);
    CHECK(config.myorigin == "example.net");
    CHECK(config.find("config_directory") == folder.path);
    CHECK(warns(config, "main.cf:3: unused parameter: idle_name=6"));
    CHECK(warns(config, "main.cf:4: unused parameter: nobody_time_limit=5s"));
    CHECK(warns(config, "master.cf:1: unused parameter: not_a_name=1"));
    CHECK(config.warnings.size() == 3);
    Config copy = config;
    copy.myorigin = "other";
    CHECK(config.myorigin == "example.net");
    CHECK_THROWS_AS(Config::load(folder.path + "/nowhere"), Error);
    folder.write("main.cf", "smtpd_timeout = x\n");
    CHECK_THROWS_AS(Config::load(folder.path), Error);
    CHECK_NOTHROW(Config::inspect(folder.path));
}

TEST_CASE("MAIL_CONFIG chooses the folder")
{
    ::setenv("MAIL_CONFIG", "/some/where", 1);
    CHECK(config::default_folder() == "/some/where");
    ::unsetenv("MAIL_CONFIG");
    CHECK(config::default_folder().starts_with("/etc/"));
}
