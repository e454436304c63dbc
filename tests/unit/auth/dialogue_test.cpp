// dialogue_test: whole conversations with auth over socket pairs, well-formed and not.
#include "base/fd.h"
#include "base/text.h"
#include "catch.h"
#include "client_session.h"
#include "master_session.h"
#include "passwords/scram_keys.h"
#include "sasl/auth_client.h"
#include "sasl/auth_master.h"

#include <openssl/evp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

using namespace auth;

namespace {

constexpr net::Limit limit{5000};

net::Stream stream_over(int fd) { return net::Stream(base::Fd(fd), net::Address::unix_path("auth")); }

// A house with a few users, where wrong passwords are answered at once.
struct House {
    House()
    {
        char pattern[] = "/tmp/auth-test.XXXXXX";
        folder = ::mkdtemp(pattern);
        base::replace_file(folder + "/users",
                           "joe:{PLAIN}secret:1000:1000::/home/joe::userdb_mail=maildir:~/Maildir userdb_class=gold\n"
                           "root:{PLAIN}secret:0:0::/root\n"
                           "daemon:{PLAIN}secret:499:1000\n"
                           "off:{PLAIN}secret:1000:1000::::nologin\n"
                           "near:{PLAIN}secret:1000:1000::::allow_nets=10.0.0.0/8\n"
                           "virtual@example.net:{PLAIN}secret\n"
                           "broken:{NOSUCH}secret:1000:1000\n",
                           0600);
        rules.passwd_files = {folder + "/users"};
        rules.system_users = false;
        rules.failure_delay = async::Limit(0);
        rules.names.local_domains = {"example.org"};
        context = std::make_unique<Context>(rules);
    }
    ~House()
    {
        sessions.cancel();
        std::filesystem::remove_all(folder);
    }
    base::Fd connect(bool master = false)
    {
        int fds[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0) throw base::SystemError("socketpair");
        sessions.start(master ? serve_master(stream_over(fds[0]), *context)
                              : serve_client(stream_over(fds[0]), *context));
        return base::Fd(fds[1]);
    }

    std::string folder;
    Rules rules;
    std::unique_ptr<Context> context;
    async::Nursery sessions{"test session"};
};

struct Heard {
    std::string text;
    bool closed = false;
};

// Reads until `until` was heard, or the other side has closed, or it is silent for long.
Heard listen(int fd, std::string_view until)
{
    Heard heard;
    for (int round = 0; round < 5000 && heard.text.find(until) == std::string::npos; ++round) {
        async::loop().run_once(async::Limit(1));
        char bytes[4096];
        ssize_t got = ::recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
        if (got > 0) heard.text.append(bytes, static_cast<size_t>(got));
        if (got == 0) {
            heard.closed = true;
            break;
        }
    }
    return heard;
}

// What auth says to these lines after its greeting, up to `until`.
Heard answer(House& house, const std::string& lines, std::string_view until)
{
    base::Fd end = house.connect();
    listen(end.get(), "DONE\n");
    base::write_all(end.get(), lines, "auth");
    return listen(end.get(), until);
}

std::string plain(const std::string& user, const std::string& password)
{
    return base::to_base64(std::string(1, '\0') + user + std::string(1, '\0') + password);
}

const std::string hello = "VERSION\t1\t2\nCPID\t42\n";

std::string log_in(const std::string& user, const std::string& password, const std::string& more = "")
{
    return hello + "AUTH\t1\tPLAIN\tservice=smtp" + more + "\tresp=" + plain(user, password) + "\n";
}

template <class T> T finish(async::Task<T>& task)
{
    while (!task.done()) async::loop().run_once(async::Limit(1000));
    return task.take();
}

} // namespace

TEST_CASE("auth greets at once", "[auth]")
{
    House house;
    base::Fd end = house.connect();
    std::string text = listen(end.get(), "DONE\n").text;
    CHECK(text.starts_with("VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\nSPID\t"));
    CHECK(text.find("\nCUID\t1\nCOOKIE\t") != std::string::npos);
}

TEST_CASE("who has the password gets in, nobody else does", "[auth]")
{
    House house;
    struct Case {
        const char* user;
        const char* password;
        const char* more;
        const char* answer;
    };
    const Case cases[] = {
        {"joe", "secret", "", "OK\t1\tuser=joe\n"},
        {"JOE@example.org", "secret", "\tnologin\tsecured", "OK\t1\tuser=joe\n"},
        {"virtual@example.net", "secret", "", "OK\t1\tuser=virtual@example.net\n"},
        {"joe", "Secret", "", "FAIL\t1\tuser=joe\n"},
        {"joe", "", "", "FAIL\t1\tuser=joe\n"},
        {"nobody", "secret", "", "FAIL\t1\tuser=nobody\n"},
        {"joe@elsewhere.test", "secret", "", "FAIL\t1\tuser=joe@elsewhere.test\n"},
        {"virtual", "secret", "", "FAIL\t1\tuser=virtual\n"},
        {"root", "secret", "", "FAIL\t1\tuser=root\n"},
        {"daemon", "secret", "", "FAIL\t1\tuser=daemon\n"},
        {"broken", "secret", "", "FAIL\t1\tuser=broken\n"},
        {"off", "secret", "", "FAIL\t1\tuser=off\tuser_disabled\tcode=user_disabled\n"},
        {"off", "wrong", "", "FAIL\t1\tuser=off\n"},
        {"near", "secret", "\trip=10.1.1.1", "OK\t1\tuser=near\n"},
        {"near", "secret", "\trip=192.0.2.1", "FAIL\t1\tuser=near\tuser_disabled\tcode=user_disabled\n"},
        {"a\tb\nc", "secret", "", "FAIL\t1\tuser=a\001tb\001nc\n"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.user, c.password, c.more);
        CHECK(answer(house, log_in(c.user, c.password, c.more), "\n").text == c.answer);
    }
}

TEST_CASE("LOGIN asks twice, and many dialogues share a connection", "[auth]")
{
    House house;
    base::Fd end = house.connect();
    listen(end.get(), "DONE\n");
    base::write_all(end.get(), hello + "AUTH\t7\tlogin\tservice=smtp\nAUTH\t8\tPLAIN\tservice=smtp\n", "auth");
    CHECK(listen(end.get(), "CONT\t8\t\n").text == "CONT\t7\tVXNlcm5hbWU6\nCONT\t8\t\n");
    base::write_all(end.get(), "CONT\t8\t" + plain("joe", "secret") + "\nCONT\t7\tam9l\n", "auth");
    std::string text = listen(end.get(), "OK\t8").text;
    if (text.find("CONT\t7") == std::string::npos) text += listen(end.get(), "CONT\t7").text;
    CHECK(text.find("CONT\t7\tUGFzc3dvcmQ6\n") != std::string::npos);
    base::write_all(end.get(), "CONT\t7\tc2VjcmV0\n", "auth");
    CHECK(listen(end.get(), "OK\t7").text.find("OK\t7\tuser=joe\n") != std::string::npos);
}

TEST_CASE("slips in a dialogue fail that dialogue", "[auth]")
{
    House house;
    CHECK(answer(house, hello + "AUTH\t1\tGSSAPI\tservice=smtp\n", "\n").text ==
          "FAIL\t1\treason=Unsupported authentication mechanism.\n");
    CHECK(answer(house, hello + "AUTH\t1\tPLAIN\tservice=smtp\tresp=!\n", "\n").text == "FAIL\t1\n");
    CHECK(answer(house, hello + "AUTH\t1\tPLAIN\tservice=smtp\tresp=AAAA\n", "\n").text == "FAIL\t1\n");
    CHECK(answer(house, hello + "CONT\t5\tAAAA\n", "\n").text == "FAIL\t5\n");
    CHECK(answer(house, hello + "CANCEL\t5\nCONT\t5\tAAAA\n", "\n").text == "FAIL\t5\n");
    CHECK(answer(house, "VERSION\t1\t2\nSERVICE\tSMTP\nCPID\t9\nCONT\t5\tAAAA\n", "\n").text == "FAIL\t5\n");
}

TEST_CASE("malformed lines close that connection and no other", "[auth]")
{
    House house;
    base::Fd other = house.connect();
    listen(other.get(), "DONE\n");
    const std::string cases[] = {
        "VERSION\t2\t0\n",
        "VERSION\n",
        "RUBBISH\n",
        "\n",
        "CPID\t0\n",
        "CPID\tx\n",
        hello + "CPID\t43\n",
        "AUTH\t1\tPLAIN\tservice=smtp\n",
        "VERSION\t1\t2\nAUTH\t1\tPLAIN\tservice=smtp\n",
        hello + "AUTH\n",
        hello + "AUTH\tx\tPLAIN\tservice=smtp\n",
        hello + "AUTH\t99999999999\tPLAIN\tservice=smtp\n",
        hello + "AUTH\t1\n",
        hello + "AUTH\t1\tPLAIN\n",
        hello + "AUTH\t1\tLOGIN\tservice=smtp\nAUTH\t1\tLOGIN\tservice=smtp\n",
        hello + "AUTH\t1\tLOGIN\tservice=smtp\nCONT\t1\n",
        hello + "CANCEL\n",
        hello + std::string(20000, 'x') + "\n",
    };
    for (const auto& lines : cases) {
        CAPTURE(lines.substr(0, 80));
        CHECK(answer(house, lines, "no such answer").closed);
    }
    base::write_all(other.get(), log_in("joe", "secret"), "auth");
    CHECK(listen(other.get(), "\n").text == "OK\t1\tuser=joe\n");
}

TEST_CASE("more requests than a connection may have are put off", "[auth]")
{
    House house;
    house.context->rules.most_requests = 2;
    std::string lines = hello;
    for (int i = 1; i <= 3; ++i) lines += "AUTH\t" + std::to_string(i) + "\tLOGIN\tservice=smtp\n";
    CHECK(answer(house, lines, "FAIL").text.find("FAIL\t3\ttemp\tcode=temp_fail\n") != std::string::npos);
    house.context->rules.most_checks = 0;
    CHECK(answer(house, log_in("joe", "secret"), "\n").text == "FAIL\t1\tuser=joe\ttemp\tcode=temp_fail\n");
}

TEST_CASE("an unreadable file of users is a failure for now", "[auth]")
{
    House house;
    house.rules.passwd_files = {house.folder + "/missing"};
    Context blind(house.rules);
    std::swap(*house.context, blind);
    CHECK(answer(house, log_in("joe", "secret"), "\n").text == "FAIL\t1\tuser=joe\ttemp\tcode=temp_fail\n");
    house.sessions.cancel();
    std::swap(*house.context, blind);
}

TEST_CASE("a failure is held back, and others are not", "[auth]")
{
    House house;
    house.context->rules.failure_delay = async::Limit(3'600'000);
    std::string lines = hello + "AUTH\t1\tPLAIN\tservice=smtp\tresp=" + plain("joe", "wrong") + "\n";
    lines += "AUTH\t2\tPLAIN\tservice=smtp\tresp=" + plain("nobody", "wrong") + "\n";
    lines += "AUTH\t3\tPLAIN\tservice=smtp\tresp=" + plain("joe", "secret") + "\n";
    CHECK(answer(house, lines, "\n").text == "OK\t3\tuser=joe\n");
}

TEST_CASE("SCRAM's last word comes before OK, or beside it for who can take it there", "[auth]")
{
    House house;
    house.rules.mechanisms = {"SCRAM-SHA-1"};
    Context scram(house.rules);
    std::swap(*house.context, scram);
    bool beside = GENERATE(false, true);
    base::Fd end = house.connect();
    CHECK(listen(end.get(), "DONE\n").text.find("MECH\tSCRAM-SHA-1\tmutual-auth\n") != std::string::npos);
    std::string more = beside ? "\tfinal-resp-ok" : "";
    base::write_all(end.get(), hello + "AUTH\t1\tSCRAM-SHA-1\tservice=smtp" + more + "\tresp=" + base::to_base64("n,,n=joe,r=x") + "\n", "auth");
    std::string challenge = listen(end.get(), "\n").text;
    REQUIRE(challenge.starts_with("CONT\t1\t"));
    std::string first = base::from_base64(base::trim(challenge).substr(7)).value();
    auto parts = base::split_exact(first, ',');
    std::string salt = base::from_base64(parts.at(1).substr(2)).value();
    unsigned char salted[20];
    PKCS5_PBKDF2_HMAC("secret", 6, reinterpret_cast<const unsigned char*>(salt.data()), static_cast<int>(salt.size()), 4096, EVP_sha1(), 20, salted);
    std::string client_key = passwords::hmac(std::string(reinterpret_cast<char*>(salted), 20), "Client Key", "SHA1");
    std::string unproved = "c=biws," + std::string(parts.at(0));
    std::string text = "n=joe,r=x," + first + "," + unproved;
    std::string proof = passwords::exclusive_or(client_key, passwords::hmac(passwords::hash(client_key, "SHA1"), text, "SHA1"));
    base::write_all(end.get(), "CONT\t1\t" + base::to_base64(unproved + ",p=" + base::to_base64(proof)) + "\n", "auth");
    std::string last = listen(end.get(), "\n").text;
    if (beside) {
        CHECK(last.starts_with("OK\t1\tuser=joe\tresp="));
    } else {
        REQUIRE(last.starts_with("CONT\t1\t"));
        CHECK(base::from_base64(base::trim(last).substr(7)).value().starts_with("v="));
        base::write_all(end.get(), "CONT\t1\t\n", "auth");
        CHECK(listen(end.get(), "\n").text == "OK\t1\tuser=joe\n");
    }
    house.sessions.cancel();
    std::swap(*house.context, scram);
}

TEST_CASE("EXTERNAL by the certificate that the server vouches for", "[auth]")
{
    House house;
    house.rules.mechanisms = {"EXTERNAL"};
    Context context(house.rules);
    std::swap(*house.context, context);
    auto ask = [&](const std::string& more) { return answer(house, hello + "AUTH\t1\tEXTERNAL\tservice=smtp" + more + "\tresp=\n", "\n").text; };
    CHECK(ask("\tvalid-client-cert\tcert_username=joe") == "OK\t1\tuser=joe\n");
    CHECK(ask("\tcert_username=joe") == "FAIL\t1\n");
    CHECK(ask("\tvalid-client-cert\tcert_username=nobody") == "FAIL\t1\tuser=nobody\n");
    CHECK(ask("\tvalid-client-cert\tcert_username=off") == "FAIL\t1\tuser=off\tuser_disabled\tcode=user_disabled\n");
    house.sessions.cancel();
    std::swap(*house.context, context);
}

TEST_CASE("a master opens others' mail by his own password", "[auth]")
{
    House house;
    base::replace_file(house.folder + "/masters", "admin:{PLAIN}master\n", 0600);
    house.rules.master_files = {house.folder + "/masters"};
    house.rules.master_separator = "*";
    Context context(house.rules);
    std::swap(*house.context, context);
    CHECK(answer(house, log_in("joe*admin", "master"), "\n").text == "OK\t1\tuser=joe\n");
    CHECK(answer(house, log_in("joe*admin", "secret"), "\n").text.starts_with("FAIL"));
    CHECK(answer(house, log_in("joe*joe", "secret"), "\n").text.starts_with("FAIL"));
    CHECK(answer(house, log_in("joe*", "secret"), "\n").text.starts_with("FAIL"));
    CHECK(answer(house, log_in("nobody*admin", "master"), "\n").text.starts_with("FAIL"));
    CHECK(answer(house, log_in("admin", "master"), "\n").text.starts_with("FAIL"));
    std::string message = std::string("joe") + '\0' + "admin" + '\0' + "master";
    CHECK(answer(house, hello + "AUTH\t1\tPLAIN\tservice=smtp\tresp=" + base::to_base64(message) + "\n", "\n").text == "OK\t1\tuser=joe\n");
    house.sessions.cancel();
    std::swap(*house.context, context);
}

TEST_CASE("what was checked lately is not checked again", "[auth]")
{
    using namespace std::chrono_literals;
    VerdictCache cache(2000, 10s, 5s);
    base::Steady start{};
    Verdict right, wrong, later;
    right.kind = Verdict::ok;
    right.user.name = "joe";
    later.kind = Verdict::temporary;
    cache.keep("joe", "secret", right, start);
    cache.keep("joe", "wrong", wrong, start);
    cache.keep("joe", "later", later, start);
    REQUIRE(cache.find("joe", "secret", start + 9s));
    CHECK(cache.find("joe", "secret", start + 9s)->user.name == "joe");
    CHECK(cache.find("joe", "wrong", start + 4s)->kind == Verdict::wrong);
    CHECK_FALSE(cache.find("joe", "wrong", start + 5s));
    CHECK_FALSE(cache.find("joe", "secret", start + 10s));
    CHECK_FALSE(cache.find("joe", "later", start));
    CHECK_FALSE(cache.find("joe", "other", start));
    right.lasting = false;
    cache.keep("near", "secret", right, start);
    CHECK_FALSE(cache.find("near", "secret", start));
    right.lasting = true;
    for (int i = 0; i < 100; ++i) cache.keep("user" + std::to_string(i), "secret", right, start);
    CHECK_FALSE(cache.find("user0", "secret", start));
    CHECK(cache.find("user99", "secret", start));
    VerdictCache none(0, 10s, 10s);
    none.keep("joe", "secret", right, start);
    CHECK_FALSE(none.find("joe", "secret", start));
}

TEST_CASE("sources are asked in their order; words that name none are left out", "[auth]")
{
    House house;
    base::replace_file(house.folder + "/more", "joe:{PLAIN}other\nlast:{PLAIN}word:1000:1000\n", 0600);
    house.rules.passdbs = {"passwd-file:" + house.folder + "/users", "nosuch:x", "passwd-file:" + house.folder + "/more"};
    Context context(house.rules);
    CHECK(context.sources.size() == 2);
    CHECK_FALSE(context.asks_pam());
    std::swap(*house.context, context);
    CHECK(answer(house, log_in("joe", "secret"), "\n").text == "OK\t1\tuser=joe\n");
    CHECK(answer(house, log_in("joe", "other"), "\n").text == "OK\t1\tuser=joe\n");
    CHECK(answer(house, log_in("last", "word"), "\n").text == "OK\t1\tuser=last\n");
    house.sessions.cancel();
    std::swap(*house.context, context);
    CHECK(make_source("pam:imap")->checks_itself());
    CHECK_FALSE(make_source("shadow")->checks_itself());
}

TEST_CASE("a ticket brings the session stage its user, once", "[auth]")
{
    House house;
    sasl::AuthClient client("nowhere");
    client.connect_by([&] { return net::Stream(house.connect(), net::Address::unix_path("auth")); });
    sasl::Exchange exchange(client);
    sasl::Request request("PLAIN", "imap");
    request.wants_ticket = true;
    request.initial_response = sasl::Secret(std::string("\0joe\0secret", 11));
    auto login = exchange.start(std::move(request), limit);
    login.start();
    sasl::Step step = finish(login);
    REQUIRE(step.kind == sasl::Step::ok);
    REQUIRE(step.ticket);
    auto ticket = sasl::Ticket::parse(step.ticket->text());
    REQUIRE(ticket);

    auto redeem = [&](sasl::Ticket which) {
        net::Stream stream(house.connect(true), net::Address::unix_path("auth-master"));
        auto task = sasl::redeem_over(stream, which, limit);
        task.start();
        return finish(task);
    };
    sasl::Ticket forged = *ticket;
    forged.client_pid += 1;
    CHECK_FALSE(redeem(forged));
    forged = *ticket;
    forged.cookie = std::string(32, '0');
    CHECK_FALSE(redeem(forged));
    auto user = redeem(*ticket);
    REQUIRE(user);
    CHECK(user->name == "joe");
    CHECK(user->uid == uid_t(1000));
    CHECK(user->home == "/home/joe");
    CHECK(user->mail == "maildir:~/Maildir");
    CHECK(user->more.at("class") == "gold");
    CHECK_FALSE(redeem(*ticket));
}

TEST_CASE("no ticket is kept for who wants none", "[auth]")
{
    House house;
    CHECK(answer(house, log_in("joe", "secret", "\tnologin"), "\n").text == "OK\t1\tuser=joe\n");
    CHECK(house.context->tickets.size() == 0);
    CHECK(answer(house, log_in("joe", "secret"), "\n").text == "OK\t1\tuser=joe\n");
    CHECK(house.context->tickets.size() == 1);
}

TEST_CASE("users are looked up by name, without those who may not log in", "[auth]")
{
    House house;
    bool master = GENERATE(true, false);
    auto find = [&](const char* name) {
        net::Stream stream(house.connect(master), net::Address::unix_path("auth"));
        auto task = sasl::find_user_over(stream, name, "lmtp", limit);
        task.start();
        return finish(task);
    };
    REQUIRE(find("Joe@example.org"));
    CHECK(find("joe")->home == "/home/joe");
    CHECK_FALSE(find("nobody"));
    CHECK_FALSE(find("root"));
    CHECK_FALSE(find("bad name\n"));
}

TEST_CASE("a malformed question to auth-master closes", "[auth]")
{
    House house;
    for (std::string line : {"RUBBISH\t1\n", "USER\n", "USER\tx\tjoe\n", "USER\t1\n", "REQUEST\t1\t2\t3\n",
                             "REQUEST\t1\tx\t3\tff\n", "VERSION\t9\t1\n"}) {
        CAPTURE(line);
        base::Fd end = house.connect(true);
        base::write_all(end.get(), line, "auth");
        CHECK(listen(end.get(), "no such answer").closed);
    }
}

TEST_CASE("draining ends idle connections at once and busy ones after their answer", "[auth]")
{
    House house;
    base::Fd idle = house.connect(), busy = house.connect(), master = house.connect(true);
    listen(master.get(), "SPID");
    listen(idle.get(), "DONE\n");
    listen(busy.get(), "DONE\n");
    base::write_all(busy.get(), hello + "AUTH\t1\tLOGIN\tservice=smtp\n", "auth");
    listen(busy.get(), "CONT");
    house.context->drain();
    CHECK(listen(idle.get(), "no such answer").closed);
    CHECK(listen(master.get(), "no such answer").closed);
    base::write_all(busy.get(), "CONT\t1\tam9l\nCONT\t1\tc2VjcmV0\n", "auth");
    Heard heard = listen(busy.get(), "no such answer");
    CHECK(heard.text.find("OK\t1\tuser=joe\n") != std::string::npos);
    CHECK(heard.closed);
}
