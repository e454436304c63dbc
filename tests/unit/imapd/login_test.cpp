// The login stage of IMAP, played as a dialogue: RFC 3501 6.1 and 6.2, 4959, 7888, 2971.
#include "catch.h"
#include "unit/login/door.h"

#include "login_session.h"
#include "login_words.h"

using login::HandedOver;

namespace {

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

TEST_CASE("login: every form of LOGIN's arguments hands the connection over")
{
    Door door("imap", imap_login::converse);
    Peer peer;
    door.admit(peer);
    CHECK(peer.line() == "* OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE IDLE AUTH=PLAIN AUTH=STEPS] Ready.\r\n");
    SECTION("atom and quoted") { peer.send("a1 LOGIN anna \"secret word\"\r\n"); }
    SECTION("quoted both") { peer.send("a1 login \"anna\" \"secret word\"\r\n"); }
    SECTION("LITERAL+") { peer.send("a1 LOGIN {4+}\r\nanna {11+}\r\nsecret word\r\n"); }
    SECTION("literals")
    {
        peer.send("a1 LOGIN {4}\r\n");
        CHECK(peer.line() == "+ OK\r\n");
        peer.send("anna {11}\r\n");
        CHECK(peer.line() == "+ OK\r\n");
        peer.send("secret word\r\n");
    }
    SECTION("SASL-IR") { peer.send("a1 AUTHENTICATE PLAIN " + base::to_base64(std::string_view("\0anna\0secret word", 17)) + "\r\n"); }
    SECTION("AUTHENTICATE")
    {
        CHECK(peer.ask("a1 AUTHENTICATE plain") == "+ \r\n");
        peer.send(base::to_base64(std::string_view("\0anna\0secret word", 17)) + "\r\n");
    }
    peer.send("a2 SELECT INBOX\r\n");
    auto session = door.session();
    auto& taken = door.sessions.taken.back();
    CHECK(taken.user == "anna");
    CHECK(taken.tag == "a1");
    session.send("a1 OK Logged in\r\n");
    CHECK(peer.line() == "a1 OK Logged in\r\n");
    if (taken.pending.empty())
        CHECK(session.line() == "a2 SELECT INBOX\r\n");
    else
        CHECK(taken.pending == "a2 SELECT INBOX\r\n");
    CHECK(has(door.log(), "imap-login: Login: user=<anna>, method=PLAIN, rip=127.0.0.1, lip="));
    CHECK(has(door.auth.heard[0], "\tservice=imap"));
}

TEST_CASE("login: commands before authentication")
{
    Door door("imap", imap_login::converse);
    Peer peer;
    door.admit(peer);
    peer.line();
    play(peer, {
                   {"a1 NOOP", "a1 OK"},
                   {"a2 SELECT INBOX", "a2 BAD"},
                   {"a3 LOGIN anna", "a3 BAD"},
                   {"a4 LOGIN anna \"no end", "a4 BAD"},
                   {"a5 AUTHENTICATE NONSENSE", "a5 NO [CANNOT]"},
                   {"a6 AUTHENTICATE PLAIN !!!!", "a6 BAD"},
                   {"a7 STARTTLS", "a7 BAD"},
                   {"", "* BAD"},
                   {"+ x", "* BAD"},
                   {"a8 ID (\"name\" \"x\" \"version\" NIL)", "* ID"},
               });
    CHECK(peer.line() == "a8 OK ID completed.\r\n");
    CHECK(peer.ask("a9 ID NIL").substr(0, 4) == "* ID");
    peer.line();
    CHECK(peer.ask("b1 CAPABILITY").substr(0, 22) == "* CAPABILITY IMAP4rev1");
    CHECK(peer.line().substr(0, 5) == "b1 OK");
    CHECK(peer.ask("b2 AUTHENTICATE PLAIN") == "+ \r\n");
    CHECK(peer.ask("*").substr(0, 6) == "b2 BAD");
    CHECK(peer.ask("b3 LOGOUT").substr(0, 5) == "* BYE");
    CHECK(peer.rest() == "b3 OK Logout completed.\r\n");
    CHECK(has(door.log(), "imap-login: Aborted login (no auth attempts in "));
}

TEST_CASE("login: no password in the clear from far away")
{
    Door door("imap", imap_login::converse);
    Peer peer;
    door.admit(peer, "2001:db8::9");
    CHECK(has(peer.line(), " AUTH=STEPS LOGINDISABLED] "));
    play(peer, {{"a1 LOGIN anna \"secret word\"", "a1 NO [PRIVACYREQUIRED]"}, {"a2 AUTHENTICATE PLAIN", "a2 NO [PRIVACYREQUIRED]"}});
    CHECK(door.auth.heard.empty());
}

TEST_CASE("login: refusals are told apart, and three of them are enough")
{
    Door door("imap", imap_login::converse);
    Peer peer;
    door.admit(peer);
    peer.line();
    play(peer, {{"a1 LOGIN down x", "a1 NO [UNAVAILABLE]"}, {"a2 LOGIN off x", "a2 NO [CONTACTADMIN]"}});
    door.sessions.verdict = HandedOver::too_many;
    play(peer, {{"a3 LOGIN anna \"secret word\"", "a3 NO [LIMIT]"}});
    play(peer, {{"a4 LOGIN anna x", "a4 NO [AUTHENTICATIONFAILED]"}, {"a5 LOGIN anna x", "a5 NO [AUTHENTICATIONFAILED]"}});
    CHECK(peer.rest() == "* BYE Too many authentication failures.\r\n");
    CHECK(has(door.log(), "imap-login: Disconnected (auth failed, 3 attempts in 0 secs): user=<anna>, method=PLAIN, rip=127.0.0.1, lip="));
}

TEST_CASE("login: hostile literals and lines")
{
    Door door("imap", imap_login::converse);
    Peer peer;
    door.admit(peer);
    peer.line();
    SECTION("too large, and announced")
    {
        CHECK(peer.ask("a1 LOGIN {5000}").substr(0, 15) == "a1 BAD [TOOBIG]");
        CHECK(peer.ask("a2 NOOP").substr(0, 5) == "a2 OK");
    }
    SECTION("too large, and on its way") { CHECK(peer.ask("a1 LOGIN {5000+}").substr(0, 5) == "* BYE"); }
    SECTION("too many")
    {
        std::string command = "a1 LOGIN";
        for (int i = 0; i < 5; ++i) command += " {1+}\r\nx";
        CHECK(peer.ask(command).substr(0, 5) == "* BYE");
    }
    SECTION("sizes that are none")
    {
        for (const char* size : {"{}", "{-1}", "{99999999999999}", "{1x}", "{+}"}) {
            CAPTURE(size);
            CHECK(peer.ask("a1 LOGIN " + std::string(size)).substr(0, 6) == "a1 BAD");
        }
    }
    SECTION("NUL")
    {
        peer.send(std::string_view("a1 LOGIN anna {3+}\r\na\0b\r\n", 25));
        CHECK(peer.line().substr(0, 6) == "a1 BAD");
    }
    SECTION("a long line")
    {
        peer.send("a1 LOGIN " + std::string(200'000, 'x') + "\r\n");
        CHECK(has(peer.line(), "BAD Too long line"));
    }
    SECTION("a long response")
    {
        peer.ask("a1 AUTHENTICATE PLAIN");
        peer.send(std::string(50'000, 'A') + "\r\n");
        CHECK(peer.line().substr(0, 6) == "a1 BAD");
    }
    SECTION("nonsense without end")
    {
        for (int i = 0; i < 10; ++i) peer.send("\x01\xff\xfe nonsense\r\n");
        CHECK(has(peer.rest(), "* BYE Too many invalid commands"));
    }
}

TEST_CASE("login: words")
{
    using imap_login::Syntax;
    using imap_login::Words;
    struct Case {
        const char* text;
        const char* value;      // null: refused
    } cases[] = {
        {"anna", "anna"},       {"\"a\\\"b\\\\c\"", "a\"b\\c"}, {"{3+}\r\na b", "a b"}, {"a]b", "a]b"},  {"\"\"", ""},     {"", nullptr},
        {"(a)", nullptr},       {"\"a", nullptr},               {"\"a\\b\"", nullptr},  {"a\"b", nullptr}, {"{3}", nullptr}, {"{9}\r\nabc", nullptr},
        {"{0}\r\n", ""},        {"a\x7f", nullptr},             {"\"a\r\"", nullptr},   {"a*", nullptr},
    };
    for (const auto& each : cases) {
        CAPTURE(each.text);
        Words words(each.text);
        auto read = [&] {
            std::string value = words.astring();
            words.end();
            return value;
        };
        if (each.value)
            CHECK(read() == each.value);
        else
            CHECK_THROWS_AS(read(), Syntax);
    }
}
