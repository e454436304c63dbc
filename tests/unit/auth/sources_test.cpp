// sources_test: files of users, names, mechanisms and tickets, as tables.
#include "base/fd.h"
#include "catch.h"
#include "mechanisms.h"
#include "passwd_file.h"
#include "tickets.h"
#include "user_names.h"
#include "verify.h"

#include <cstdlib>
#include <filesystem>

using namespace auth;
using namespace std::string_literals;

TEST_CASE("a passwd-file is read line by line, and a bad line costs itself alone", "[auth]")
{
    auto entries = parse_passwd(
        "# users\n"
        "\n"
        "joe:{PLAIN}a:1000:1001:Joe:/home/joe:/bin/sh:userdb_mail=maildir:~/Maildir nologin allow_nets=10.0.0.0/8\n"
        "short:{PLAIN}b\r\n"
        "joe@example.org:{PLAIN}c::\n"
        "nothing\n"
        ":x\n"
        "bad:x:abc:1\n"
        "bad:x:1:4294967296\n"
        "joe:{PLAIN}again\n"
        "last:{PLAIN}z:5:6:::",
        "F");
    CHECK(entries.users.size() == 4);
    const auto& joe = entries.users.at("joe");
    CHECK(joe.password == "{PLAIN}a");
    CHECK(joe.uid == uid_t(1000));
    CHECK(joe.gid == gid_t(1001));
    CHECK(joe.home == "/home/joe");
    CHECK(joe.extra.at("userdb_mail") == "maildir:~/Maildir");
    CHECK(joe.extra.at("nologin") == "yes");
    CHECK(entries.users.at("short").password == "{PLAIN}b");
    CHECK_FALSE(entries.users.at("joe@example.org").uid);
    CHECK(entries.users.at("last").gid == gid_t(6));
    REQUIRE(entries.problems.size() == 5);
    CHECK(entries.problems[0] == "F:6: expected user:password, and more columns if you like");
    CHECK(entries.problems[1] == "F:7: expected a user's name before the first colon");
    CHECK(entries.problems[2] == "F:8: expected a number in the third column (uid), not \"abc\"");
    CHECK(entries.problems[4] == "F:10: \"joe\" stands above already; the first line counts");
    CHECK(parse_passwd(std::string("a\0:b\n", 5), "F").users.empty());
}

TEST_CASE("a changed passwd-file is noticed, a vanished one is not believed", "[auth]")
{
    char pattern[] = "/tmp/auth-test.XXXXXX";
    std::string folder = ::mkdtemp(pattern), path = folder + "/users";
    PasswdFile file(path);
    CHECK(file.find("joe") == nullptr);
    CHECK_FALSE(file.readable());
    base::replace_file(path, "joe:{PLAIN}one\n", 0600);
    file.look();
    REQUIRE(file.find("joe"));
    CHECK(file.find("joe")->password == "{PLAIN}one");
    CHECK(file.example() == "{PLAIN}one");
    base::replace_file(path, "joe:{PLAIN}two\nann:{PLAIN}three\n", 0600);
    file.look();
    CHECK(file.find("joe")->password == "{PLAIN}two");
    CHECK(file.find("ann"));
    std::filesystem::remove(path);
    file.look();
    CHECK(file.find("ann"));
    std::filesystem::remove_all(folder);
}

TEST_CASE("names are brought into the form of our tables", "[auth]")
{
    NameRules rules;
    rules.allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ01234567890.-_@";
    rules.local_domains = {"example.org", "localhost"};
    using Names = std::vector<std::string>;
    CHECK(names_to_try("Joe", rules) == Names{"joe"});
    CHECK(names_to_try("Joe@Example.ORG", rules) == (Names{"joe@example.org", "joe"}));
    CHECK(names_to_try("joe@elsewhere.test", rules) == Names{"joe@elsewhere.test"});
    CHECK(names_to_try("@example.org", rules) == Names{"@example.org"});
    for (auto text : {"", "joe smith", "joe\n", "joe:x", "../joe", "j\xc3\xb6", "joe\x01"}) {
        CAPTURE(text);
        CHECK(names_to_try(text, rules).empty());
    }
    CHECK(names_to_try(std::string(300, 'a'), rules).empty());
    rules.allowed.clear();
    CHECK(names_to_try("j\xc3\xb6", rules) == Names{"j\xc3\xb6"});
    CHECK(names_to_try("j\xc3", rules).empty());
    CHECK(names_to_try("j\x7f", rules).empty());
    rules.default_realm = "example.org";
    CHECK(names_to_try("joe", rules) == (Names{"joe@example.org", "joe"}));

    CHECK(format_name("%Ln", "Joe@Example.org") == "joe");
    CHECK(format_name("%n+%Ud%%", "Joe@Example.org") == "Joe+EXAMPLE.ORG%");
    CHECK(format_name("%d", "joe") == "");
    for (auto text : {"%", "%L", "%x", "%Lx"}) CHECK_FALSE(format_name(text, "joe"));
}

TEST_CASE("PLAIN and LOGIN lead to a user and a password", "[auth]")
{
    auto say = [](Mechanism& mechanism, std::string_view text) { return mechanism.next(sasl::Secret(text)); };
    auto plain = find_mechanism("plain")->make({});
    CHECK(plain->next(std::nullopt).kind == Move::challenge);
    Move move = say(*plain, std::string_view("\0joe\0pass word", 14));
    CHECK(move.kind == Move::check_password);
    CHECK(move.user == "joe");
    CHECK(move.password.view() == "pass word");
    struct Case {
        std::string_view message;
        bool good;
    };
    using namespace std::string_view_literals;
    const Case cases[] = {
        {"joe\0joe\0pw"sv, true}, {"root\0joe\0pw"sv, true}, {""sv, false},
        {"joe"sv, false},         {"\0joe"sv, false},         {"\0\0pw"sv, false},
        {"\0joe\0p\0w"sv, false}, {"\0joe\0"sv, true},        {"\0\0\0"sv, false},
    };
    for (const auto& c : cases) {
        CAPTURE(std::string(c.message));
        CHECK((say(*plain, c.message).kind == Move::check_password) == c.good);
    }
    move = say(*plain, "joe\0admin\0pw"sv);
    CHECK(move.user == "joe");
    CHECK(move.master == "admin");
    CHECK(say(*plain, "\0joe\0"s + std::string(5000, 'p')).kind == Move::refused);

    auto login = find_mechanism("LOGIN")->make({});
    CHECK(login->next(std::nullopt).text == "Username:");
    CHECK(say(*login, "joe").text == "Password:");
    move = say(*login, "pw");
    CHECK(move.kind == Move::check_password);
    CHECK(move.user == "joe");
    auto empty = find_mechanism("LOGIN")->make({});
    CHECK(say(*empty, "").kind == Move::refused);
    CHECK(find_mechanism("ANONYMOUS") == nullptr);
}

TEST_CASE("a ticket is good once and for a minute", "[auth]")
{
    Tickets tickets;
    base::Steady now = base::steady_now();
    auto ticket = [](uint32_t request) {
        sasl::Ticket made;
        made.client_pid = 2;
        made.request = request;
        made.cookie = "00ff";
        return made;
    };
    auto user = [](const char* name) {
        sasl::UserRecord made;
        made.name = name;
        return made;
    };
    tickets.keep(ticket(1), user("joe"), now);
    CHECK(tickets.redeem(ticket(1), now)->name == "joe");
    CHECK_FALSE(tickets.redeem(ticket(1), now));
    CHECK_FALSE(tickets.redeem(ticket(2), now));

    tickets.keep(ticket(1), user("ann"), now);
    tickets.keep(ticket(2), user("bob"), now + std::chrono::seconds(30));
    CHECK_FALSE(tickets.redeem(ticket(1), now + std::chrono::seconds(60)));
    CHECK(tickets.redeem(ticket(2), now + std::chrono::seconds(60)));
    CHECK(tickets.size() == 0);

    for (uint32_t i = 0; i < Tickets::most + 5; ++i) tickets.keep(ticket(i), user("x"), now);
    CHECK(tickets.size() == Tickets::most);
    CHECK_FALSE(tickets.redeem(ticket(4), now));
    CHECK(tickets.redeem(ticket(5), now));
}

TEST_CASE("allow_nets holds addresses to their networks", "[auth]")
{
    struct Case {
        const char* nets;
        const char* ip;
        bool allowed;
    };
    const Case cases[] = {
        {"10.0.0.0/8", "10.1.2.3", true},
        {"10.0.0.0/8", "11.1.2.3", false},
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"::1/128,10.0.0.0/9", "10.128.0.0", false},
        {"2001:db8::/33", "2001:db8:7fff::1", true},
        {"2001:db8::/33", "2001:db8:8000::1", false},
        {"local", "127.0.0.1", true},
        {"local", "", true},
        {"10.0.0.0/8", "", false},
        {"10.0.0.0/99", "10.0.0.1", false},
        {"rubbish", "10.0.0.1", false},
        {"0.0.0.0/0", "8.8.8.8", true},
        {"", "8.8.8.8", false},
        {"0.0.0.0/0", "::1", false},
    };
    for (const auto& c : cases) {
        CAPTURE(c.nets, c.ip);
        CHECK(address_allowed(c.nets, c.ip) == c.allowed);
    }
}

TEST_CASE("users in a lookup table", "[auth]")
{
    char pattern[] = "/tmp/auth-test.XXXXXX";
    std::string folder = ::mkdtemp(pattern);
    base::replace_file(folder + "/table",
                       "joe {PLAIN}one:1000:1001::/home/joe::userdb_mail=maildir:~/Maildir\n"
                       "short {PLAIN}two\n"
                       "bad {PLAIN}x:abc\n",
                       0600);
    Rules rules;
    rules.passdbs = {"table:texthash:" + folder + "/table"};
    rules.system_users = false;
    Context context(rules);
    REQUIRE(context.sources.size() == 1);
    auto look_up = [&](const char* name) {
        std::vector<std::string> names{"unknown", name};
        auto task = context.sources[0]->look_up(std::move(names));
        task.start();
        while (!task.done()) async::loop().run_once(async::Limit(1000));
        return task.take();
    };
    auto joe = look_up("joe");
    REQUIRE(joe);
    CHECK(joe->name == "joe");
    CHECK(joe->password == "{PLAIN}one");
    CHECK(joe->uid == uid_t(1000));
    CHECK(joe->home == "/home/joe");
    CHECK(joe->extra.at("userdb_mail") == "maildir:~/Maildir");
    auto brief = look_up("short");
    REQUIRE(brief);
    CHECK(brief->password == "{PLAIN}two");
    CHECK_FALSE(brief->uid);
    CHECK_FALSE(look_up("nobody"));
    CHECK_THROWS_AS(look_up("bad"), std::runtime_error);
    std::filesystem::remove_all(folder);
    for (const char* broken : {"table:nosuch:/x", "table:", "table:texthash:/nonexistent/x"}) {
        CAPTURE(broken);
        auto source = make_source(broken); // each question says what is wrong
        REQUIRE(source);
        auto task = source->look_up({"joe"});
        task.start();
        while (!task.done()) async::loop().run_once(async::Limit(1000));
        CHECK_THROWS_AS(task.take(), std::runtime_error);
    }
}
