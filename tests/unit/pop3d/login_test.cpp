// The login stage of POP3, played as a dialogue: RFC 1939 4, 2449, 2595, 5034.
#include "catch.h"
#include "unit/login/door.h"
#include "unit/tls/certificates.h"

#include "login_session.h"

#include "tls/handshake.h"

using login::HandedOver;

namespace {

constexpr char far_away[] = "192.0.2.9";

struct Exchange {
    const char* says;
    const char* hears;      // the beginning of the answer's line
};

void play(Peer& peer, const std::vector<Exchange>& dialogue)
{
    for (const auto& [says, hears] : dialogue) {
        CAPTURE(says);
        auto answer = peer.ask(says);
        CHECK(answer.substr(0, std::string(hears).size()) == hears);
    }
}

} // namespace

TEST_CASE("USER and PASS hand the connection over")
{
    Door door("pop3", pop3_login::converse);
    Peer peer;
    door.admit(peer);
    CHECK(peer.line() == "+OK Ready.\r\n");
    CHECK(peer.ask("USER anna") == "+OK\r\n");
    // RFC 1939 7: the password has a space in it. What is pipelined behind it belongs to the session.
    peer.send("PASS secret word\r\nSTAT\r\nLI");
    auto session = door.session();
    auto& taken = door.sessions.taken.back();
    CHECK(taken.user == "anna");
    CHECK(taken.pending == "STAT\r\nLI");
    CHECK(taken.remote == "127.0.0.1");
    CHECK_FALSE(taken.secured);
    CHECK(has(taken.ticket, ":0123456789abcdef0123456789abcdef"));
    session.send("+OK Logged in.\r\n");
    CHECK(peer.line() == "+OK Logged in.\r\n");
    peer.send("ST\r\n");
    CHECK(session.line() == "ST\r\n");
    auto log = door.log();
    CHECK(has(log, "pop3-login: Login: user=<anna>, method=PLAIN, rip=127.0.0.1, lip="));
    CHECK(has(log, ", mpid=4711, session=<" + taken.session_id + ">"));
    REQUIRE(door.auth.heard.size() == 1);
    CHECK(has(door.auth.heard[0], "\tservice=pop3"));
    CHECK_FALSE(has(log, "secret"));
}

TEST_CASE("commands before the login")
{
    Door door("pop3", pop3_login::converse);
    Peer peer;
    door.admit(peer);
    peer.line();
    play(peer, {
                   {"PASS x", "-ERR USER first."},
                   {"STAT", "-ERR"},
                   {"APOP anna c4c9334bac560ecc979e58001b3e22fb", "-ERR"},
                   {"STLS", "-ERR TLS is not available."},
                   {"user", "-ERR"},
                   {"AUTH NONSENSE", "-ERR Unsupported"},
                   {"AUTH not/a/name", "-ERR"},
                   {"AUTH PLAIN !!!", "-ERR Invalid base64"},
                   {"LANG en", "+OK en "},
                   {"LANG xx", "-ERR"},
                   {"UTF8", "+OK"},
                   {"UTF8 x", "-ERR"},
                   {"USER anna", "+OK"},
                   {"QUIT", "+OK"},
               });
    CHECK(peer.rest().empty());
    CHECK(has(door.log(), "pop3-login: Aborted login (no auth attempts in "));
}

TEST_CASE("CAPA says what is true")
{
    Door door("pop3", pop3_login::converse);
    Peer near, far;
    door.admit(near);
    near.line();
    near.send("CAPA\r\n");
    auto list = near.until("\r\n.\r\n");
    for (const char* tag : {"\r\nTOP\r\n", "\r\nUIDL\r\n", "\r\nUSER\r\n", "\r\nSASL PLAIN STEPS\r\n", "\r\nRESP-CODES\r\n", "\r\nPIPELINING\r\n"})
        CHECK(has(list, tag));
    CHECK_FALSE(has(list, "STLS"));
    door.admit(far, far_away);
    far.line();
    far.send("CAPA\r\n");
    list = far.until("\r\n.\r\n");
    CHECK_FALSE(has(list, "\nUSER\r\n"));
    CHECK(has(list, "\r\nSASL STEPS\r\n"));
}

TEST_CASE("AUTH with and without an initial response")
{
    Door door("pop3", pop3_login::converse);
    Peer peer;
    door.admit(peer);
    peer.line();
    std::string good = base::to_base64(std::string_view("\0anna\0secret word", 17));
    SECTION("initial") { peer.send("AUTH PLAIN " + good + "\r\n"); }
    SECTION("challenge")
    {
        CHECK(peer.ask("auth plain") == "+ \r\n");
        peer.send(good + "\r\n");
    }
    SECTION("a last word of the server")
    {
        CHECK(peer.ask("AUTH STEPS") == "+ " + base::to_base64("sure?") + "\r\n");
        CHECK(peer.ask(base::to_base64("yes")) == "+ " + base::to_base64("bye") + "\r\n");
        peer.send("\r\n");
    }
    SECTION("after giving up")
    {
        CHECK(peer.ask("AUTH PLAIN") == "+ \r\n");
        CHECK(has(peer.ask("*"), "-ERR Authentication aborted"));
        CHECK(peer.ask("AUTH PLAIN") == "+ \r\n");
        CHECK(has(peer.ask("%%%"), "-ERR Invalid base64"));
        peer.send("AUTH PLAIN " + good + "\r\n");
    }
    auto session = door.session();
    CHECK(door.sessions.taken.back().user == "anna");
}

TEST_CASE("a password in the clear is refused from far away")
{
    Door door("pop3", pop3_login::converse);
    Peer peer;
    door.admit(peer, far_away);
    peer.line();
    play(peer, {{"USER anna", "-ERR [AUTH] Plaintext"}, {"PASS secret word", "-ERR USER first."}, {"AUTH PLAIN", "-ERR [AUTH] Plaintext"}});
    CHECK(door.auth.heard.empty());
    peer.hang_up();
    CHECK(has(door.log(), "(tried to use disallowed plaintext auth): user=<>, rip=192.0.2.9, lip="));
}

TEST_CASE("disable_plaintext_auth = no allows it")
{
    login::Rules rules;
    rules.plain_needs_tls = false;
    Door door("pop3", pop3_login::converse, rules);
    Peer peer;
    door.admit(peer, far_away);
    peer.line();
    play(peer, {{"USER anna", "+OK"}});
    peer.send("PASS secret word\r\n");
    door.session();
}

TEST_CASE("three wrong passwords are enough, and the log says whose and from where")
{
    Door door("pop3", pop3_login::converse);
    Peer peer;
    door.admit(peer);
    peer.line();
    for (int i = 0; i < 3; ++i) {
        peer.ask("USER bert> rip=10.0.0.1");
        CHECK(peer.ask("PASS wrong") == "-ERR [AUTH] Authentication failed.\r\n");
    }
    CHECK(peer.rest().empty());
    auto log = door.log();
    CHECK(has(log, "pop3-login: Disconnected (auth failed, 3 attempts in "));
    CHECK(has(log, " secs): user=<bert? rip=10.0.0.1>, method=PLAIN, rip=127.0.0.1, lip="));
    CHECK_FALSE(has(log, "wrong"));
}

TEST_CASE("trouble is told apart from wrong passwords")
{
    Door door("pop3", pop3_login::converse);
    Peer peer;
    door.admit(peer);
    peer.line();
    play(peer, {{"USER down", "+OK"}, {"PASS x", "-ERR [SYS/TEMP]"}, {"USER off", "+OK"}, {"PASS x", "-ERR [AUTH] Account is disabled."}});
    door.sessions.verdict = HandedOver::too_many;
    play(peer, {{"USER anna", "+OK"}, {"PASS secret word", "-ERR [IN-USE]"}});
    door.sessions.verdict = HandedOver::unavailable;
    play(peer, {{"USER anna", "+OK"}, {"PASS secret word", "-ERR [SYS/TEMP]"}});
    door.sessions.verdict = HandedOver::taken;
    play(peer, {{"USER anna", "+OK"}});
    peer.send("PASS secret word\r\n");
    auto session = door.session();
    session.send("+OK\r\n");
    CHECK(peer.line() == "+OK\r\n");
}

TEST_CASE("hostile input before the login")
{
    Door door("pop3", pop3_login::converse);
    Peer peer;
    door.admit(peer);
    peer.line();
    SECTION("nonsense without end")
    {
        for (int i = 0; i < 10; ++i) peer.send("\x01\xff nonsense\r\n");
        peer.rest();
        CHECK(has(door.log(), "Disconnected: Too many invalid commands (no auth attempts"));
    }
    SECTION("a line without end")
    {
        peer.send(std::string(100'000, 'x') + "\r\n");
        CHECK(peer.line() == "-ERR Line too long.\r\n");
        CHECK(has(peer.ask("USER anna"), "+OK"));
    }
    SECTION("a NUL in the password")
    {
        peer.ask("USER anna");
        peer.send(std::string_view("PASS secret\0word\r\n", 18));
        CHECK(peer.line() == "-ERR [AUTH] Authentication failed.\r\n");
        CHECK(door.auth.heard.empty());
    }
    SECTION("a response that is far too long")
    {
        peer.ask("AUTH PLAIN");
        peer.send(std::string(50'000, 'A') + "\r\n");
        CHECK(has(peer.line(), "-ERR"));
    }
    SECTION("an end in the middle")
    {
        peer.send("USER an");
        peer.hang_up();
        CHECK(has(door.log(), "Disconnected: Connection closed (no auth attempts"));
    }
}

TEST_CASE("a proxy says who the client is")
{
    login::Rules rules;
    rules.haproxy = true;
    rules.haproxy_networks = "192.0.2.0/24";
    rules.trusted_networks = "198.51.100.0/24";
    Door door("pop3", pop3_login::converse, rules);
    Peer peer;
    SECTION("a stranger far away")
    {
        door.admit(peer, far_away);
        peer.send("PROXY TCP4 203.0.113.7 192.0.2.1 4711 110\r\n");
        CHECK(peer.line() == "+OK Ready.\r\n");
        play(peer, {{"USER anna", "-ERR [AUTH] Plaintext"}, {"QUIT", "+OK"}});
        CHECK(has(door.log(), "rip=203.0.113.7, lip=192.0.2.1, "));
    }
    SECTION("somebody trusted")
    {
        door.admit(peer, far_away);
        peer.send("PROXY TCP4 198.51.100.7 192.0.2.1 4711 110\r\nUSER anna\r\nPASS secret word\r\n");
        auto session = door.session();
        CHECK(door.sessions.taken.back().remote == "198.51.100.7");
        CHECK(has(door.auth.heard.back(), "\trip=198.51.100.7"));
        CHECK(has(door.auth.heard.back(), "\tno-penalty"));
    }
    SECTION("a check of the proxy's own")
    {
        door.admit(peer, far_away);
        peer.send("PROXY UNKNOWN\r\nQUIT\r\n");
        peer.rest();
        CHECK(has(door.log(), "rip=192.0.2.9, "));
    }
    SECTION("not a proxy that we know")
    {
        door.admit(peer, "203.0.113.1");
        peer.send("PROXY TCP4 198.51.100.7 192.0.2.1 4711 110\r\n");
        CHECK(peer.rest().empty());
        CHECK(has(door.log(), "Disconnected: haproxy: Client not trusted (no auth attempts"));
    }
    SECTION("no header")
    {
        door.admit(peer, far_away);
        peer.send("USER anna\r\nPASS secret word\r\n");
        CHECK(peer.rest().empty());
        CHECK(has(door.log(), "Disconnected: haproxy: "));
    }
}

TEST_CASE("the time to log in is limited as a whole")
{
    login::Rules rules;
    rules.login_limit = net::Limit(30);
    Door door("pop3", pop3_login::converse, rules);
    Peer peer;
    door.admit(peer);
    CHECK(has(peer.rest(), "too late\r\n"));
    CHECK(has(door.log(), "Disconnected: Inactivity (no auth attempts in 0 secs)"));
}

namespace {

struct TlsClient {
    explicit TlsClient(base::Fd fd) : stream(std::move(fd), net::Address::unix_path("")), context(tls::ClientSettings()) {}

    static async::Task<> shake_hands(TlsClient& self)
    {
        co_await tls::connect(self.stream, self.context, tls::Target("mail.example.org", tls::Level::encrypt), net::Limit(20'000));
        self.ready = true;
    }
    static async::Task<> talk(TlsClient& self, std::string words, std::string& answer)
    {
        self.stream.write(words);
        co_await self.stream.flush(net::Limit(20'000));
        auto line = co_await self.stream.line(net::Limit(20'000), 1000);
        answer = std::string(line) + "\n";
    }
    std::string ask(const std::string& words)
    {
        std::string answer;
        tasks.start(talk(*this, words + "\r\n", answer));
        run_until([&] { return !answer.empty(); });
        return answer;
    }
    net::Stream stream;
    tls::ClientContext context;
    bool ready = false;
    async::Nursery tasks{"client"};
};

tls::ServerContext server_context(const TestCertificates& certificates)
{
    tls::ServerSettings settings;
    settings.cert_file = certificates.path("cert.pem");
    settings.key_file = certificates.path("key.pem");
    return tls::ServerContext(std::move(settings));
}

} // namespace

TEST_CASE("STLS, login under TLS, and the relay behind it")
{
    TestCertificates certificates("mail.example.org");
    Door door("pop3", pop3_login::converse, {}, server_context(certificates));
    Peer peer;
    door.admit(peer, far_away);
    peer.line();
    CHECK(has(peer.ask("USER anna"), "-ERR [AUTH]"));
    // CVE-2011-0411: what stands behind STLS in the clear is not believed.
    peer.send("STLS\r\nUSER evil\r\n");
    CHECK(has(peer.line(), "+OK"));
    TlsClient client(base::Fd(::dup(peer.fd())));
    client.tasks.start(TlsClient::shake_hands(client));
    run_until([&] { return client.ready; });
    CHECK(client.ask("PASS x") == "-ERR USER first.\n");
    CHECK(client.ask("STLS") == "-ERR TLS is already active.\n");
    CHECK(client.ask("USER anna") == "+OK\n");

    std::string answer;
    client.tasks.start(TlsClient::talk(client, "PASS secret word\r\nSTAT\r\n", answer));
    auto session = door.session();
    CHECK(door.sessions.taken.back().secured);
    CHECK(door.sessions.taken.back().pending == "STAT\r\n");
    CHECK(has(door.auth.heard.back(), "\tsecured"));
    session.send("+OK Logged in.\r\n");
    run_until([&] { return !answer.empty(); });
    CHECK(answer == "+OK Logged in.\n");
    std::string next;
    client.tasks.start(TlsClient::talk(client, "NOOP\r\n", next));
    CHECK(session.line() == "NOOP\r\n");
    session.send("+OK noop\r\n");
    session.hang_up();
    run_until([&] { return !next.empty(); });
    CHECK(next == "+OK noop\n");
    auto log = door.log();
    CHECK(has(log, "mpid=4711, TLS, session=<"));
    CHECK(has(log, "thrown away"));
}

TEST_CASE("TLS from the first byte, and a client that does not speak it")
{
    TestCertificates certificates("mail.example.org");
    login::Rules rules;
    rules.wrapper = true;
    Door door("pop3", pop3_login::converse, rules, server_context(certificates));
    Peer peer;
    door.admit(peer, far_away);
    SECTION("TLS")
    {
        TlsClient client(base::Fd(::dup(peer.fd())));
        client.tasks.start(TlsClient::shake_hands(client));
        run_until([&] { return client.ready; });
        CHECK(client.ask("USER anna") == "+OK Ready.\n");
        CHECK(client.ask("QUIT") == "+OK\n");
    }
    SECTION("none")
    {
        peer.send("USER anna\r\n");
        peer.rest();
        CHECK(has(door.log(), "pop3-login: Disconnected: TLS handshaking failed: "));
    }
}
