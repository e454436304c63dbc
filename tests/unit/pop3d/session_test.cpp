// A POP3 session over a Maildir: the example of RFC 1939 10, and what must not happen.
#include "catch.h"
#include "unit/login/peer.h"

#include "async/nursery.h"
#include "multi_line.h"
#include "session.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace {

class Home {
public:
    Home()
    {
        char name[] = "/tmp/pop3d_test.XXXXXX";
        if (!::mkdtemp(name)) throw base::SystemError("mkdtemp");
        path = name;
        for (const char* part : {"cur", "new", "tmp"}) std::filesystem::create_directories(path + "/Maildir/" + part);
    }
    ~Home()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
    void deliver(const std::string& text)
    {
        std::ofstream(path + "/Maildir/new/170000000" + std::to_string(++count_) + ".M1P1.test", std::ios::binary) << text;
    }
    size_t messages() const
    {
        size_t count = 0;
        for (const char* part : {"cur", "new"})
            for (const auto& file : std::filesystem::directory_iterator(path + "/Maildir/" + part)) count += file.is_regular_file();
        return count;
    }
    std::string path;

private:
    int count_ = 0;
};

class Talk : public Peer {
public:
    explicit Talk(const Home& home, pop3d::Settings with = {}) : settings(with)
    {
        login::Session owner;
        owner.user = "anna";
        owner.home = home.path;
        owner.mail_location = "maildir:~/Maildir";
        net::Stream stream(theirs(), net::Address::unix_path(""));
        sessions.start(pop3d::serve(std::move(stream), std::move(owner), settings));
    }
    ~Talk()
    {
        hang_up();
        run_until([this] { return sessions.size() == 0; });
    }
    std::string list(std::string_view command)
    {
        send(std::string(command) + "\r\n");
        return until("\r\n.\r\n");
    }
    pop3d::Settings settings;
    async::Nursery sessions{"session"};
};

} // namespace

TEST_CASE("a session as in RFC 1939 10")
{
    Home home;
    home.deliver("Subject: 1\n\n" + std::string(10, 'a') + "\n");       // 12 + 2 + 12 octets with CRLF
    home.deliver("Subject: 2\n\n.\n..b\nc\n");
    Talk talk(home);
    CHECK(talk.line() == "+OK Logged in.\r\n");
    CHECK(talk.ask("STAT") == "+OK 2 51\r\n");
    CHECK(talk.list("LIST") == "+OK 2 messages (51 octets)\r\n1 26\r\n2 25\r\n.\r\n");
    CHECK(talk.ask("list 2") == "+OK 2 25\r\n");
    CHECK(talk.list("RETR 1") == "+OK 26 octets\r\nSubject: 1\r\n\r\naaaaaaaaaa\r\n.\r\n");
    CHECK(talk.ask("DELE 1") == "+OK Marked to be deleted.\r\n");
    CHECK(talk.list("RETR 2") == "+OK 25 octets\r\nSubject: 2\r\n\r\n..\r\n...b\r\nc\r\n.\r\n");
    CHECK(talk.ask("DELE 2").substr(0, 3) == "+OK");
    CHECK(home.messages() == 2);
    CHECK(talk.ask("QUIT") == "+OK Logging out, messages deleted.\r\n");
    CHECK(talk.rest().empty());
    CHECK(home.messages() == 0);
}

TEST_CASE("numbers stay, deleted messages are not there, RSET brings them back")
{
    Home home;
    for (int i = 0; i < 3; ++i) home.deliver("Subject: x\n\nbody\n");
    Talk talk(home);
    talk.line();
    talk.ask("DELE 2");
    CHECK(talk.ask("STAT") == "+OK 2 40\r\n");
    CHECK(talk.list("LIST") == "+OK 2 messages (40 octets)\r\n1 20\r\n3 20\r\n.\r\n");
    for (const char* refused : {"RETR 2", "DELE 2", "LIST 2", "UIDL 2", "TOP 2 0", "RETR 0", "RETR 4", "RETR 99999999999", "RETR -1", "RETR",
                                "RETR x", "RETR 1 2", "TOP 1", "TOP 1 x", "DELE", "STAT 1", "USER anna", "", " ", "NONSENSE"}) {
        CAPTURE(refused);
        CHECK(talk.ask(refused).substr(0, 4) == "-ERR");
        talk.ask("NOOP");
    }
    CHECK(talk.ask("RSET") == "+OK\r\n");
    CHECK(talk.ask("STAT") == "+OK 3 60\r\n");
    CHECK(talk.ask("QUIT") == "+OK Logging out.\r\n");
    CHECK(home.messages() == 3);
}

TEST_CASE("nothing is removed without QUIT")
{
    Home home;
    home.deliver("Subject: x\n\nbody\n");
    SECTION("the client is gone")
    {
        Talk talk(home);
        talk.line();
        talk.ask("DELE 1");
        talk.hang_up();
    }
    SECTION("the client is too slow")
    {
        pop3d::Settings settings;
        settings.timeout = async::Limit(100);
        Talk talk(home, settings);
        talk.line();
        talk.send("DELE 1\r\n");
        CHECK(talk.rest() == "+OK Marked to be deleted.\r\n-ERR Disconnected for inactivity.\r\n");
    }
    SECTION("too many bad commands")
    {
        Talk talk(home);
        talk.line();
        talk.ask("DELE 1");
        for (int i = 0; i < 20; ++i) talk.send("NONSENSE\r\n");
        talk.rest();
    }
    CHECK(home.messages() == 1);
}

TEST_CASE("UIDL is the same in every session")
{
    Home home;
    home.deliver("Subject: 1\n\nx\n");
    home.deliver("Subject: 2\n\nx\n");
    std::string first, second;
    {
        Talk talk(home);
        talk.line();
        first = talk.list("UIDL");
        second = talk.ask("UIDL 2");
        talk.ask("DELE 1");
        talk.ask("QUIT");
    }
    CHECK(first.size() > std::string("+OK\r\n1 x\r\n2 x\r\n.\r\n").size());
    home.deliver("Subject: 3\n\nx\n");
    Talk talk(home);
    talk.line();
    std::string again = talk.ask("UIDL 1");
    CHECK(again.substr(6) == second.substr(6));
    CHECK(talk.list("UIDL").find(second.substr(6)) != std::string::npos);
}

TEST_CASE("ids as other servers made them")
{
    struct Case {
        const char* format;
        const char* id;
    } cases[] = {
        {"%f", "1700000001.M1P1.test"},
        {"%g", "1700000001.M1P1.test"},
        {"UID%u", "UID1"},
        {"%04Xu.%{uid}", "0001.1"},
        {"%Mf", "c86095474f8239a7f719b766258d7fb4"},
        {"%Lf", "1700000001.m1p1.test"},
        {"%4f", "1700"},
        {"100%%u", "100%u"},
    };
    Home home;
    home.deliver("X-UIDL: from another house\nSubject: 1\n\nx\n");
    home.deliver("X-UIDL: <known>\n\nx\n");
    for (const auto& each : cases) {
        CAPTURE(each.format);
        pop3d::Settings settings;
        settings.unique_ids.format = pop3d::unique_id_format(each.format);
        Talk talk(home, settings);
        talk.line();
        CHECK(talk.ask("UIDL 1") == std::string("+OK 1 ") + each.id + "\r\n");
        talk.ask("QUIT");
    }
    for (const char* bad : {"%z", "%", "%08", "%{uid", "%{nonsense}", "%08X"}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(pop3d::unique_id_format(bad), pop3d::BadFormat);
    }
    pop3d::Settings settings;
    settings.unique_ids.reuse_xuidl = true;
    settings.unique_ids.format = pop3d::unique_id_format("%u %v");      // a space: no id
    Talk talk(home, settings);
    talk.line();
    CHECK(talk.ask("UIDL 1").starts_with("+OK 1 00000001"));
    CHECK(talk.ask("UIDL 2") == "+OK 2 <known>\r\n");
}

TEST_CASE("deleted for POP3 alone")
{
    Home home;
    for (int i = 0; i < 3; ++i) home.deliver("Subject: x\n\nbody\n");
    pop3d::Settings settings;
    settings.deleted_flag = "$POP3Deleted";
    settings.delete_by_flag = true;
    {
        Talk talk(home, settings);
        talk.line();
        talk.ask("DELE 2");
        CHECK(talk.ask("QUIT") == "+OK Logging out, messages deleted.\r\n");
    }
    CHECK(home.messages() == 3);
    {
        Talk talk(home, settings);
        talk.line();
        CHECK(talk.ask("STAT") == "+OK 2 40\r\n");
        talk.ask("QUIT");
    }
    Talk everything(home);
    everything.line();
    CHECK(everything.ask("STAT") == "+OK 3 60\r\n");
}

TEST_CASE("LAST, for those who want it")
{
    Home home;
    for (int i = 0; i < 3; ++i) home.deliver("Subject: x\n\nbody\n");
    {
        Talk talk(home);
        talk.line();
        CHECK(talk.ask("LAST") == "-ERR Unknown command.\r\n");
    }
    pop3d::Settings settings;
    settings.last = true;
    {
        Talk talk(home, settings);
        talk.line();
        CHECK(talk.ask("LAST") == "+OK 0\r\n");
        talk.list("RETR 2");
        talk.list("RETR 1");
        talk.list("TOP 3 1");
        CHECK(talk.ask("LAST") == "+OK 2\r\n");
        talk.ask("QUIT");
    }
    {
        Talk talk(home, settings);
        talk.line();
        CHECK(talk.ask("LAST") == "+OK 2\r\n");
        talk.ask("RSET");
        CHECK(talk.ask("LAST") == "+OK 0\r\n");
    }
}

TEST_CASE("who wants no flags gets none")
{
    for (bool updates : {true, false}) {
        CAPTURE(updates);
        Home home;
        home.deliver("Subject: x\n\nbody\n");
        pop3d::Settings settings;
        settings.flag_updates = updates;
        settings.last = true;       // shows \\Seen
        {
            Talk talk(home, settings);
            talk.line();
            talk.list("RETR 1");
            talk.ask("QUIT");
        }
        Talk talk(home, settings);
        talk.line();
        CHECK(talk.ask("LAST") == (updates ? "+OK 1\r\n" : "+OK 0\r\n"));
    }
}

TEST_CASE("sizes without reading")
{
    Home home;
    home.deliver("Subject: x\n\nbody\n");        // 17 bytes, 20 octets with CRLF
    for (bool fast : {true, false}) {
        CAPTURE(fast);
        pop3d::Settings settings;
        settings.fast_sizes = fast;
        Talk talk(home, settings);
        talk.line();
        CHECK(talk.ask("STAT") == (fast ? "+OK 1 17\r\n" : "+OK 1 20\r\n"));
        CHECK(talk.list("RETR 1").starts_with("+OK 20 octets\r\n"));
        talk.ask("QUIT");
    }
}

TEST_CASE("for programs with faults")
{
    Home home;
    home.deliver("Subject: no body");
    home.deliver(std::string("Subject: x\n\na\0b\n", 16));
    pop3d::Settings settings;
    settings.no_nuls = settings.end_headers = true;
    Talk talk(home, settings);
    talk.line();
    CHECK(talk.list("RETR 1").ends_with("octets\r\nSubject: no body\r\n\r\n.\r\n"));
    CHECK(talk.list("TOP 1 0") == "+OK\r\nSubject: no body\r\n\r\n.\r\n");
    CHECK(talk.list("RETR 2").ends_with("\r\n\r\na\x80" "b\r\n.\r\n"));
}

TEST_CASE("several sessions, if that is allowed")
{
    Home home;
    home.deliver("Subject: x\n\nbody\n");
    pop3d::Settings settings;
    settings.lock_session = false;
    Talk first(home, settings);
    Talk second(home, settings);
    CHECK(first.line() == "+OK Logged in.\r\n");
    CHECK(second.line() == "+OK Logged in.\r\n");
    first.ask("DELE 1");
    first.ask("QUIT");
    CHECK(second.ask("RETR 1").starts_with("-ERR "));
}

TEST_CASE("languages")
{
    Home home;
    Talk talk(home);
    talk.line();
    CHECK(talk.list("LANG") == "+OK Language listing follows:\r\nen English\r\ni-default English\r\n.\r\n");
    CHECK(talk.ask("LANG en").starts_with("+OK en "));
    CHECK(talk.ask("LANG *").starts_with("+OK i-default "));
    CHECK(talk.ask("LANG xx").starts_with("-ERR "));
    auto list = talk.list("CAPA");
    for (const char* tag : {"\r\nLANG\r\n", "\r\nUTF8 USER\r\n", "\r\nEXPIRE NEVER\r\n", "\r\nIMPLEMENTATION Rookpost\r\n"})
        CHECK(list.find(tag) != std::string::npos);
}

TEST_CASE("one session at a time")
{
    Home home;
    home.deliver("Subject: x\n\nbody\n");
    Talk first(home);
    first.line();
    {
        Talk second(home);
        CHECK(second.line().substr(0, 13) == "-ERR [IN-USE]");
        CHECK(second.rest().empty());
    }
    CHECK(first.ask("QUIT").substr(0, 3) == "+OK");
    Talk third(home);       // free when QUIT is answered
    CHECK(third.line() == "+OK Logged in.\r\n");
}

TEST_CASE("TOP gives the header and so many lines")
{
    Home home;
    home.deliver("Subject: x\nTo: y\n\n1\n.2\n3\n");
    Talk talk(home);
    talk.line();
    CHECK(talk.list("TOP 1 0") == "+OK\r\nSubject: x\r\nTo: y\r\n\r\n.\r\n");
    CHECK(talk.list("TOP 1 2") == "+OK\r\nSubject: x\r\nTo: y\r\n\r\n1\r\n..2\r\n.\r\n");
    CHECK(talk.list("TOP 1 99") == "+OK\r\nSubject: x\r\nTo: y\r\n\r\n1\r\n..2\r\n3\r\n.\r\n");
}

TEST_CASE("commands that come together are answered in order")
{
    Home home;
    home.deliver("Subject: x\n\nbody\n");
    Talk talk(home);
    talk.line();
    talk.send("STAT\r\nNOOP\r\nLIST 1\r\nCAPA\r\nQUIT\r\nSTAT\r\n");
    auto said = talk.rest();
    CHECK(said.substr(0, 32) == "+OK 1 20\r\n+OK\r\n+OK 1 20\r\n+OK\r\nCA");
    CHECK(said.ends_with("\r\n.\r\n+OK Logging out.\r\n"));
}

TEST_CASE("a large message to a client that reads late")
{
    Home home;
    std::string body;
    for (int i = 0; i < 100'000; ++i) body += ".line " + std::to_string(i) + "\n";
    home.deliver("Subject: x\n\n" + body);
    Talk talk(home);
    talk.line();
    talk.send("RETR 1\r\n");
    for (int i = 0; i < 20; ++i) async::loop().run_once(async::Limit(2));
    auto said = talk.until("\r\n.\r\n");
    CHECK(said.ends_with("\r\n..line 99999\r\n.\r\n"));
    CHECK(talk.ask("NOOP") == "+OK\r\n");
}

TEST_CASE("a message that another program removed")
{
    Home home;
    home.deliver("Subject: x\n\nbody\n");
    home.deliver("Subject: y\n\nbody\n");
    Talk talk(home);
    talk.line();
    for (const char* part : {"cur", "new"})
        for (const auto& file : std::filesystem::directory_iterator(home.path + "/Maildir/" + part))
            if (file.path().string().find("1700000001.") != std::string::npos) std::filesystem::remove(file.path());
    CHECK(talk.ask("RETR 1").substr(0, 5) == "-ERR ");
    CHECK(talk.list("RETR 2").substr(0, 3) == "+OK");
    talk.ask("DELE 1");
    CHECK(talk.ask("QUIT").substr(0, 3) == "+OK");
}

TEST_CASE("no mailbox to be had")
{
    Home home;
    std::filesystem::remove_all(home.path + "/Maildir");
    std::ofstream(home.path + "/Maildir") << "a file";
    Talk talk(home);
    CHECK(talk.line().substr(0, 10) == "-ERR [SYS/");
    CHECK(talk.rest().empty());
}

TEST_CASE("dots at line starts are doubled, wherever the pieces are cut")
{
    std::string text = ".a\r\n..\r\nb.c\r\n.\r\n\r\n.end";
    std::string expected = "..a\r\n...\r\nb.c\r\n..\r\n\r\n..end\r\n.\r\n";
    for (size_t cut = 0; cut <= text.size(); ++cut) {
        CAPTURE(cut);
        pop3d::DotStuffer stuffer;
        std::string out;
        stuffer.add(std::string_view(text).substr(0, cut), out);
        stuffer.add(std::string_view(text).substr(cut), out);
        stuffer.end(out);
        CHECK(out == expected);
    }
    pop3d::DotStuffer empty;
    std::string out;
    empty.end(out);
    CHECK(out == ".\r\n");
}

TEST_CASE("the top of odd messages")
{
    struct Case {
        const char* message;
        uint64_t lines;
        const char* top;
    } cases[] = {
        {"", 5, ""},
        {"no end of header", 5, "no end of header"},
        {"A: b\r\n", 0, "A: b\r\n"},
        {"\r\nbody\r\nmore\r\n", 1, "\r\nbody\r\n"},
        {"A: b\r\n\r\n", 3, "A: b\r\n\r\n"},
        {"A: b\n\n1\n2\n", 1, "A: b\n\n1\n"},
        {"\n1\n2\n", 1, "\n1\n"},
        {"A: b\r\n\r\nlast", 1, "A: b\r\n\r\nlast"},
        {"A: b\r\n\r\n1\r\n2\r\n", UINT64_MAX, "A: b\r\n\r\n1\r\n2\r\n"},
    };
    for (const auto& each : cases) {
        CAPTURE(each.message);
        CHECK(pop3d::top_of(each.message, each.lines) == each.top);
    }
}
