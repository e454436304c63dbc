// Where services listen, by their names in master.cf, and which program stands behind a command.
#include "sockets.h"

#include "catch.h"

using namespace master;

namespace {

config::Service service(const std::string& name, config::Service::Type type, const std::string& command)
{
    config::Service s;
    s.name = name;
    s.type = type;
    s.command = command;
    s.file = "master.cf";
    s.line = 12;
    return s;
}

std::vector<std::string> names(const std::string& name, const std::string& settings = "inet_interfaces = all\n")
{
    auto config = config::Config::parse(settings, "main.cf");
    return socket_names(config, service(name, config::Service::Type::inet, "smtpd"), *find_program("smtpd"));
}

using Names = std::vector<std::string>;

} // namespace

TEST_CASE("an inet service listens where its name says", "[master]")
{
    struct Case {
        const char *name, *settings;
        Names expected;
    };
    const char* all = "inet_interfaces = all\ninet_protocols = all\n";
    Case cases[] = {
        {"smtp", all, {"inet [0.0.0.0]:25", "inet [::]:25"}},
        {"25", all, {"inet [0.0.0.0]:25", "inet [::]:25"}},
        {"submission", all, {"inet [0.0.0.0]:587", "inet [::]:587"}},
        {"submissions", all, {"inet [0.0.0.0]:465", "inet [::]:465"}},
        {"*:2525", all, {"inet [0.0.0.0]:2525", "inet [::]:2525"}},
        {"127.0.0.1:10025", all, {"inet [127.0.0.1]:10025"}},
        {"[127.0.0.1]:10025", all, {"inet [127.0.0.1]:10025"}},
        {"[::1]:10025", all, {"inet [::1]:10025"}},
        {"::1:10025", all, {"inet [::1]:10025"}},
        {"192.0.2.7:smtp", all, {"inet [192.0.2.7]:25"}},
        {"65535", "inet_interfaces = loopback-only\ninet_protocols = ipv4\n", {"inet [127.0.0.1]:65535"}},
        {"65535", "inet_interfaces = loopback-only\ninet_protocols = ipv6\n", {"inet [::1]:65535"}},
        {"smtp", "inet_interfaces = 192.0.2.1, 192.0.2.2\ninet_protocols = all\n", {"inet [192.0.2.1]:25", "inet [192.0.2.2]:25"}},
        {"smtp", "inet_interfaces = all\ninet_protocols = ipv4\n", {"inet [0.0.0.0]:25"}},
    };
    for (const auto& c : cases) {
        CAPTURE(c.name, c.settings);
        CHECK(names(c.name, c.settings) == c.expected);
    }
}

TEST_CASE("a bad service name is told with its line", "[master]")
{
    for (const char* name : {"", "0", "65536", "-1", "no-such-port", "127.0.0.1:", "127.0.0.1:99999", "[::1]", "host.invalid:25", "[127.0.0.1:25", "25 "}) {
        CAPTURE(name);
        std::string text;
        try {
            names(name);
        } catch (const config::Error& error) {
            text = error.what();
        }
        CHECK(text.find("master.cf:12: ") == 0);
        CHECK(text.size() > 20);
    }
}

TEST_CASE("Unix services lie in public or private, and some have two doors", "[master]")
{
    auto config = config::Config::parse("", "main.cf");
    auto unix_names = [&](const char* name, const char* command, std::optional<bool> is_private = {}) {
        auto line = service(name, config::Service::Type::unix_socket, command);
        line.private_ = is_private;
        return socket_names(config, line, *find_program(command));
    };
    CHECK(unix_names("relay", "smtp") == Names{"unix private/relay"});
    CHECK(unix_names("relay", "smtp", false) == Names{"unix public/relay"});
    CHECK(unix_names("pickup", "pickup", false) == Names{"unix public/sendmail"});
    CHECK(unix_names("qmgr", "qmgr") == Names{"unix public/qmgr", "unix private/qmgr"});
    CHECK(unix_names("auth", "auth") == Names{"unix private/auth", "unix private/auth-master"});
}

TEST_CASE("commands of master.cf", "[master]")
{
    for (const char* ours : {"smtpd", "pickup", "qmgr", "smtp", "lmtp", "local", "virtual", "auth", "imapd", "pop3d", "imap-login", "pop3-login"}) {
        CAPTURE(ours);
        REQUIRE(find_program(ours));
        CHECK_FALSE(find_program(ours)->executable.empty());
    }
    // Postfix's, whose work is done elsewhere.
    for (const char* theirs : {"cleanup", "trivial-rewrite", "bounce", "anvil", "scache", "tlsmgr", "showq", "proxymap"}) {
        CAPTURE(theirs);
        REQUIRE(find_program(theirs));
        CHECK(find_program(theirs)->executable.empty());
    }
    for (const char* nobody : {"", "SMTPD", "sshd", "smtpd ", "../smtpd"}) CHECK_FALSE(find_program(nobody));
    CHECK(find_program("qmgr")->order == Order::owner);
    CHECK(find_program("smtpd")->order == Order::door);
    CHECK(find_program("local")->order == Order::worker);
}
