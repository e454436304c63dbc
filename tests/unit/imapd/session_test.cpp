// Dialogues with a session: mailboxes, messages, news between sessions, literals, and clients that mean no good.
#include "catch.h"

#include "talk.h"

namespace {

const std::string hello = "From: Anna <anna@example.org>\r\nTo: bob@example.com\r\nSubject: hello\r\n"
                          "Date: Mon, 7 Feb 1994 21:52:25 -0800\r\n\r\nHello Bob\r\n";

} // namespace

TEST_CASE("the first word is the answer to the login command", "[imapd]")
{
    Home home;
    Talk talk(home);
    CHECK(talk.until("login ").starts_with("login OK [CAPABILITY IMAP4rev1 "));
    CHECK(has(talk.command("CAPABILITY"), " IDLE "));
    CHECK(talk.command("noop") == "x OK NOOP completed\r\n");
    CHECK(talk.command("ID NIL") == "* ID (\"name\" \"Rookpost\")\r\nx OK ID completed\r\n");
    CHECK(has(talk.command("ID (\"name\" \"x\" \"version\" NIL)"), "x OK"));
    CHECK(has(talk.command("ID (\"name\")"), "x BAD"));
    CHECK(talk.command("ENABLE X-NONE") == "* ENABLED\r\nx OK ENABLE completed\r\n");
    CHECK(has(talk.command("NAMESPACE"), "* NAMESPACE ((\"\" \".\")) NIL NIL\r\n"));
    CHECK(has(talk.command("FETCH 1 FLAGS"), "x BAD No mailbox is selected"));
    CHECK(has(talk.command("LOGIN a b"), "x BAD"));
    CHECK(has(talk.command("LOGOUT"), "* BYE"));
    CHECK(talk.rest().empty());
}

TEST_CASE("SELECT describes the mailbox", "[imapd]")
{
    Home home;
    Talk talk(home);
    talk.until("login ");
    std::string empty = talk.command("SELECT inbox");
    CHECK(has(empty, "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n"));
    CHECK(has(empty, "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)]"));
    CHECK(has(empty, "* 0 EXISTS\r\n* 0 RECENT\r\n"));
    CHECK(has(empty, "* OK [UIDVALIDITY "));
    CHECK(has(empty, "* OK [UIDNEXT 1]"));
    CHECK(has(empty, "x OK [READ-WRITE] SELECT completed\r\n"));
    CHECK(!has(empty, "[UNSEEN"));
    home.deliver("Subject: new\n\nnew\n");
    std::string one = talk.command("SELECT INBOX");
    CHECK(has(one, "* 1 EXISTS\r\n* 1 RECENT\r\n* OK [UNSEEN 1]"));
    std::string examined = talk.command("EXAMINE INBOX");
    CHECK(has(examined, "[PERMANENTFLAGS ()]"));
    CHECK(has(examined, "x OK [READ-ONLY] EXAMINE completed\r\n"));
    CHECK(has(talk.command("STORE 1 +FLAGS (\\Seen)"), "x NO [READ-ONLY]"));
    CHECK(has(talk.command("EXPUNGE"), "x NO [READ-ONLY]"));
    CHECK(has(talk.command("SELECT nowhere"), "x NO [NONEXISTENT]"));
    CHECK(has(talk.command("CHECK"), "x BAD No mailbox"));
    CHECK(has(talk.command("SELECT"), "x BAD"));
    CHECK(has(talk.command("SELECT INBOX x"), "x BAD"));
}

TEST_CASE("mailboxes are made, listed, renamed, subscribed and deleted", "[imapd]")
{
    Home home;
    Talk talk(home);
    talk.until("login ");
    CHECK(talk.command("LIST \"\" \"\"") == "* LIST (\\Noselect) \".\" \"\"\r\nx OK LIST completed\r\n");
    CHECK(talk.command("CREATE Work.2026.") == "x OK CREATE completed\r\n");
    CHECK(has(talk.command("CREATE Work.2026"), "x NO [ALREADYEXISTS]"));
    CHECK(has(talk.command("CREATE INBOX"), "x NO [ALREADYEXISTS]"));
    CHECK(has(talk.command("CREATE \"a/../b\""), "x NO [CANNOT]"));
    CHECK(has(talk.command("CREATE &1VyuAA-"), "x OK"));
    CHECK(has(talk.command("CREATE Trash"), "x OK"));
    std::string all = talk.command("LIST \"\" *");
    CHECK(has(all, "* LIST (\\HasNoChildren) \".\" INBOX\r\n"));
    CHECK(has(all, "* LIST (\\Noselect \\HasChildren) \".\" Work\r\n"));
    CHECK(has(all, "* LIST (\\HasNoChildren) \".\" Work.2026\r\n"));
    CHECK(has(all, "* LIST (\\HasNoChildren) \".\" &1VyuAA-\r\n"));
    CHECK(has(all, "* LIST (\\HasNoChildren \\Trash) \".\" Trash\r\n"));
    CHECK(has(talk.command("LIST \"\" % RETURN (STATUS (MESSAGES UIDNEXT))"),
              "* STATUS INBOX (MESSAGES 0 UIDNEXT 1)\r\n"));
    CHECK(has(talk.command("SUBSCRIBE Work.2026"), "x OK"));
    CHECK(talk.command("LSUB \"\" *") == "* LSUB () \".\" Work.2026\r\nx OK LSUB completed\r\n");
    CHECK(has(talk.command("LIST (SUBSCRIBED) \"\" *"), "* LIST (\\HasNoChildren \\Subscribed) \".\" Work.2026\r\n"));
    CHECK(has(talk.command("UNSUBSCRIBE Work.2026"), "x OK"));
    CHECK(has(talk.command("UNSUBSCRIBE Work.2026"), "x OK"));
    CHECK(talk.command("LSUB \"\" *") == "x OK LSUB completed\r\n");
    CHECK(has(talk.command("RENAME Work Old"), "x OK"));
    CHECK(has(talk.command("RENAME Work Old"), "x NO [NONEXISTENT]"));
    CHECK(has(talk.command("STATUS Old.2026 (MESSAGES)"), "* STATUS Old.2026 (MESSAGES 0)\r\nx OK"));
    CHECK(has(talk.command("STATUS Old.2027 (MESSAGES)"), "x NO [NONEXISTENT]"));
    CHECK(has(talk.command("STATUS INBOX (FOO)"), "x BAD"));
    CHECK(has(talk.command("DELETE INBOX"), "x NO [CANNOT]"));
    CHECK(has(talk.command("DELETE nowhere"), "x NO [NONEXISTENT]"));
    CHECK(has(talk.command("SELECT Old.2026"), "x OK"));
    CHECK(has(talk.command("DELETE Old.2026"), "x OK"));
    CHECK(has(talk.command("CHECK"), "x BAD No mailbox"));
}

TEST_CASE("a message is appended and fetched", "[imapd]")
{
    Home home;
    Talk talk(home);
    talk.until("login ");
    talk.command("SELECT INBOX");
    talk.send("a APPEND INBOX (\\Seen $Label) \"17-Jul-1996 02:44:25 -0700\" {" + std::to_string(hello.size()) +
              "}\r\n");
    CHECK(talk.until("+ ") == "+ OK\r\n");
    talk.send(hello + "\r\n");
    std::string appended = talk.until("a ");
    CHECK(has(appended, "* 1 EXISTS\r\n"));
    CHECK(has(appended, "a OK [APPENDUID "));
    CHECK(has(appended, " 1] APPEND completed"));
    CHECK(talk.command("FETCH 1 (UID FLAGS INTERNALDATE RFC822.SIZE)") ==
          "* 1 FETCH (UID 1 FLAGS (\\Seen $Label) INTERNALDATE \"17-Jul-1996 09:44:25 +0000\" RFC822.SIZE " +
              std::to_string(hello.size()) + ")\r\nx OK FETCH completed\r\n");
    CHECK(talk.command("UID FETCH 1 BODY[]") == "* 1 FETCH (UID 1 BODY[] {" + std::to_string(hello.size()) + "}\r\n" +
                                                    hello + ")\r\nx OK FETCH completed\r\n");
    CHECK(talk.command("FETCH 1 (BODY.PEEK[TEXT]<6.3> BODY[2] BODY[TEXT]<100.5>)") ==
          "* 1 FETCH (BODY[TEXT]<6> {3}\r\nBob BODY[2] NIL BODY[TEXT]<100> {0}\r\n)\r\nx OK FETCH completed\r\n");
    CHECK(has(talk.command("FETCH 1 ENVELOPE"), "* 1 FETCH (ENVELOPE (\"Mon, 7 Feb 1994 21:52:25 -0800\" \"hello\" "));
    CHECK(has(talk.command("FETCH 1 BODYSTRUCTURE"),
              "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 11 1 NIL NIL NIL NIL)"));
    CHECK(has(talk.command("FETCH 2 FLAGS"), "x BAD"));
    CHECK(has(talk.command("FETCH 1:* FLAGS"), "x OK"));
    CHECK(talk.command("UID FETCH 7 FLAGS") == "x OK FETCH completed\r\n");
    CHECK(has(talk.command("UID FETCH 7:* FLAGS"), "* 1 FETCH (UID 1 FLAGS"));
}

TEST_CASE("reading a body sets \\Seen and says so", "[imapd]")
{
    Home home;
    Talk talk(home);
    talk.until("login ");
    talk.command(append_of(hello));
    talk.command("SELECT INBOX");
    CHECK(!has(talk.command("FETCH 1 BODY.PEEK[]"), "FLAGS"));
    CHECK(!has(talk.command("FETCH 1 RFC822.HEADER"), "FLAGS"));
    CHECK(has(talk.command("FETCH 1 BODY[1]"), "Hello Bob\r\n FLAGS (\\Seen))\r\n"));
    CHECK(!has(talk.command("FETCH 1 BODY[1]"), "FLAGS"));
    talk.command("STORE 1 FLAGS.SILENT ()");
    talk.command("EXAMINE INBOX");
    CHECK(!has(talk.command("FETCH 1 BODY[1]"), "FLAGS"));
}

TEST_CASE("a large part fetched piece by piece is the whole part", "[imapd]")
{
    Home home;
    Talk talk(home);
    talk.until("login ");
    std::string message = "Subject: large\r\n\r\n";
    for (int i = 0; i < 3000; ++i)
        message += "line " + std::to_string(i) + std::string(static_cast<size_t>(i) % 90, 'x') + "\r\n";
    talk.command(append_of(message));
    talk.command("SELECT INBOX");
    size_t piece = GENERATE(as<size_t>(), 4097, 30011, 65536);
    std::string all;
    for (size_t at = 0; at < message.size(); at += piece) {
        std::string said =
            talk.command("FETCH 1 BODY.PEEK[]<" + std::to_string(at) + "." + std::to_string(piece) + ">");
        size_t count = std::min(piece, message.size() - at);
        size_t start = said.find("}\r\n") + 3;
        REQUIRE(has(said.substr(0, start), "<" + std::to_string(at) + "> {" + std::to_string(count) + "}"));
        all += said.substr(start, count);
        REQUIRE(said.substr(start + count) == ")\r\nx OK FETCH completed\r\n");
    }
    CHECK(all == message);
    // Back to the start, and another section in between.
    CHECK(has(talk.command("FETCH 1 BODY.PEEK[TEXT]<0.7>"), "{7}\r\nline 0\r)"));
    CHECK(has(talk.command("FETCH 1 BODY.PEEK[TEXT]<7.3>"), "{3}\r\n\nli)"));
}

TEST_CASE("flags are stored", "[imapd]")
{
    Home home;
    Talk talk(home);
    talk.until("login ");
    for (int i = 0; i < 3; ++i) talk.command(append_of(hello));
    talk.command("SELECT INBOX");
    CHECK(has(talk.command("STORE 2:3 +FLAGS (\\Deleted)"),
              "* 2 FETCH (FLAGS (\\Deleted))\r\n* 3 FETCH (FLAGS (\\Deleted))\r\nx OK"));
    CHECK(talk.command("STORE 2 -FLAGS.SILENT (\\Deleted)") == "x OK STORE completed\r\n");
    CHECK(has(talk.command("UID STORE 2 FLAGS \\Seen \\Answered"), "* 2 FETCH (UID 2 FLAGS (\\Answered \\Seen))\r\n"));
    std::string keyword = talk.command("STORE 1 +FLAGS ($Junk)");
    CHECK(has(keyword, "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Junk)\r\n"));
    CHECK(has(keyword, "* 1 FETCH (FLAGS ($Junk))"));
    CHECK(has(talk.command("STORE 1 FLAGS (\\Foo)"), "x BAD"));
    CHECK(has(talk.command("STORE 1 FLAG (\\Seen)"), "x BAD"));
    CHECK(has(talk.command("STORE 9 FLAGS (\\Seen)"), "x BAD"));
    CHECK(talk.command("UID STORE 9 FLAGS (\\Seen)") == "x OK STORE completed\r\n");
    std::string limit;
    for (int i = 0; i < 30; ++i) limit = talk.command("STORE 1 +FLAGS (k" + std::to_string(i) + ")");
    CHECK(has(limit, "x NO [LIMIT]"));
}

TEST_CASE("messages are expunged, copied and moved", "[imapd]")
{
    Home home;
    Talk talk(home);
    talk.until("login ");
    for (int i = 0; i < 6; ++i) talk.command(append_of(hello));
    talk.command("SELECT INBOX");
    CHECK(has(talk.command("COPY 1 Other"), "x NO [TRYCREATE]"));
    talk.command("CREATE Other");
    CHECK(has(talk.command("COPY 1,3:4 Other"), " 1,3:4 1:3] COPY completed"));
    CHECK(has(talk.command("UID COPY 99 Other"), "x OK COPY completed"));
    std::string moved = talk.command("MOVE 2 Other");
    CHECK(has(moved, "* OK [COPYUID "));
    CHECK(has(moved, " 2 4] Moved\r\n* 2 EXPUNGE\r\n"));
    CHECK(has(talk.command("STATUS Other (MESSAGES UIDNEXT)"), "(MESSAGES 4 UIDNEXT 5)"));
    talk.command("STORE 1,3,5 +FLAGS.SILENT (\\Deleted)");
    CHECK(talk.command("UID EXPUNGE 1:3") == "* 1 EXPUNGE\r\nx OK EXPUNGE completed\r\n");
    CHECK(talk.command("EXPUNGE") == "* 4 EXPUNGE\r\n* 2 EXPUNGE\r\nx OK EXPUNGE completed\r\n");
    CHECK(talk.command("UID SEARCH ALL") == "* SEARCH 3 5\r\nx OK SEARCH completed\r\n");
    talk.command("STORE 1 +FLAGS.SILENT (\\Deleted)");
    CHECK(talk.command("CLOSE") == "x OK CLOSE completed\r\n");
    CHECK(has(talk.command("STATUS INBOX (MESSAGES)"), "(MESSAGES 1)"));
    talk.command("SELECT INBOX");
    talk.command("STORE 1 +FLAGS.SILENT (\\Deleted)");
    CHECK(talk.command("UNSELECT") == "x OK UNSELECT completed\r\n");
    CHECK(has(talk.command("STATUS INBOX (MESSAGES)"), "(MESSAGES 1)"));
}

TEST_CASE("two sessions see each other's doings", "[imapd]")
{
    Home home;
    Talk a(home), b(home);
    a.until("login ");
    b.until("login ");
    a.command("SELECT INBOX");
    b.command("SELECT INBOX");
    for (int i = 0; i < 3; ++i) a.command(append_of(hello));
    CHECK(has(b.command("NOOP"), "* 3 EXISTS\r\n"));
    a.command("STORE 2 +FLAGS (\\Deleted $Work)");
    std::string flags = b.command("NOOP");
    CHECK(has(flags, "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Work)\r\n"));
    CHECK(has(flags, "* 2 FETCH (UID 2 FLAGS (\\Deleted $Work))\r\n"));
    CHECK(has(a.command("EXPUNGE"), "* 2 EXPUNGE\r\n"));
    // RFC 3501 7.4.1: no EXPUNGE during FETCH, STORE and SEARCH; numbers stay as the client knows them.
    CHECK(!has(b.command("FETCH 1:3 UID"), "EXPUNGE\r\n"));
    std::string fetched = b.command("FETCH 1:3 UID");
    CHECK(!has(fetched, "EXPUNGE\r\n"));
    CHECK(!has(fetched, "* 2 FETCH"));
    CHECK(has(fetched, "* 3 FETCH (UID 3)\r\n"));
    CHECK(has(fetched, "x NO [EXPUNGEISSUED]"));
    CHECK(!has(b.command("STORE 3 +FLAGS (\\Seen)"), "EXPUNGE\r\n"));
    CHECK(b.command("SEARCH SEEN") == "* SEARCH 3\r\nx OK SEARCH completed\r\n");
    a.command(append_of(hello));
    CHECK(has(b.command("SEARCH UNSEEN"), "* SEARCH 1"));
    CHECK(has(b.command("NOOP"), "* 2 EXPUNGE\r\n"));
    CHECK(has(b.command("FETCH 3 UID"), "* 3 FETCH (UID 4)\r\n"));
}

TEST_CASE("IDLE tells news at once", "[imapd]")
{
    Home home;
    Talk a(home), b(home);
    a.until("login ");
    b.until("login ");
    a.command("SELECT INBOX");
    b.command("SELECT INBOX");
    b.send("i IDLE\r\n");
    CHECK(b.until("+ ") == "+ idling\r\n");
    a.command(append_of(hello));
    CHECK(b.until("* 1 EXISTS") == "* 1 EXISTS\r\n");
    a.command("STORE 1 +FLAGS.SILENT (\\Deleted)");
    CHECK(has(b.until("* 1 FETCH"), "(UID 1 FLAGS (\\Deleted"));
    a.command("EXPUNGE");
    CHECK(has(b.until("* 1 EXPUNGE"), "* 1 EXPUNGE\r\n"));
    b.send("DONE\r\n");
    CHECK(has(b.until("i "), "i OK IDLE completed\r\n"));
    b.send("i IDLE\r\nDONE\r\n");
    CHECK(has(b.until("i "), "i OK"));
    b.send("j IDLE\r\n");
    b.until("+ ");
    b.send("ENOUGH\r\n");
    CHECK(has(b.until("j "), "j BAD"));
}

TEST_CASE("IDLE without a mailbox waits for DONE", "[imapd]")
{
    Home home;
    Talk talk(home);
    talk.until("login ");
    talk.send("i IDLE\r\n");
    talk.until("+ ");
    talk.send("done\r\n");
    CHECK(has(talk.until("i "), "i OK"));
}

TEST_CASE("silence ends a session with BYE, and IDLE says now and then that it lives", "[imapd]")
{
    Home home;
    imapd::Settings impatient = test_settings();
    impatient.timeout = async::Limit(30);
    impatient.idle_limit = async::Limit(60);
    impatient.still_here = async::Limit(10);
    SECTION("between commands")
    {
        Talk talk(home, impatient);
        talk.until("login ");
        CHECK(talk.rest() == "* BYE Disconnected for inactivity\r\n");
    }
    SECTION("within a literal")
    {
        Talk talk(home, impatient);
        talk.until("login ");
        talk.send("a APPEND INBOX {100+}\r\nhalf");
        CHECK(talk.rest() == "* BYE Disconnected for inactivity\r\n");
        CHECK(home.files() == 0);
    }
    SECTION("in IDLE")
    {
        Talk talk(home, impatient);
        talk.until("login ");
        talk.send("i IDLE\r\n");
        std::string said = talk.rest();
        CHECK(has(said, "* OK Still here\r\n"));
        CHECK(said.ends_with("* BYE Disconnected for inactivity\r\n"));
    }
}

TEST_CASE("commands arrive cut at every byte", "[imapd]")
{
    Home home;
    Talk talk(home);
    talk.until("login ");
    std::string bytes = "1 STATUS {5+}\r\nINBOX (MESSAGES)\r\n2 APPEND {5+}\r\ninbox (\\Seen) {" +
                        std::to_string(hello.size()) + "+}\r\n" + hello + "\r\n3 STATUS \"INBOX\" (MESSAGES)\r\n";
    for (char c : bytes) {
        talk.send(std::string_view(&c, 1));
        talk.turn();
    }
    CHECK(talk.until("1 OK") == "* STATUS INBOX (MESSAGES 0)\r\n1 OK STATUS completed\r\n");
    CHECK(has(talk.until("2 OK"), "[APPENDUID "));
    CHECK(talk.until("3 OK") == "* STATUS INBOX (MESSAGES 1)\r\n3 OK STATUS completed\r\n");
}

TEST_CASE("a synchronizing literal waits for the word to go on", "[imapd]")
{
    Home home;
    Talk talk(home);
    talk.until("login ");
    talk.send("1 SELECT {5}\r\n");
    CHECK(talk.until("+") == "+ OK\r\n");
    talk.send("INBOX\r\n");
    CHECK(has(talk.until("1 "), "1 OK"));
}

TEST_CASE("APPEND is refused before its message, and the dialogue goes on", "[imapd]")
{
    Home home;
    Talk talk(home);
    talk.until("login ");
    struct Case {
        std::string_view text, answer;
    };
    // Synchronizing: no word to go on, so the message never comes.
    const Case waiting[] = {{"APPEND nowhere {5}", "x NO [TRYCREATE]"},
                            {"APPEND INBOX {1000001}", "x NO [TOOBIG]"},
                            {"APPEND INBOX {99999999999999999999}", "x NO [TOOBIG]"},
                            {"APPEND INBOX {0}", "x NO"},
                            {"APPEND INBOX (\\Foo) {5}", "x BAD"},
                            {"APPEND INBOX \"never\" {5}", "x BAD"},
                            {"APPEND INBOX x {5}", "x BAD"},
                            {"APPEND INBOX", "x BAD"},
                            {"APPEND", "x BAD"},
                            {"SELECT {70000}", "x BAD [TOOBIG]"}};
    for (const auto& c : waiting) {
        CAPTURE(c.text);
        CHECK(has(talk.command(c.text), c.answer));
    }
    const Case sent[] = {
        {"APPEND nowhere {5+}\r\nhello", "x NO [TRYCREATE]"}, {"APPEND INBOX (\\Foo) {5+}\r\nhello", "x BAD"},
        {"APPEND INBOX {5+}\r\nhello junk", "x BAD"},         {"APPEND INBOX {5+}\r\nhello {3+}\r\nabc x", "x BAD"},
        {"APPEND INBOX {5+}\r\nhello {1000001}", "x NO [TOOBIG]"},          {"NOOP {5+}\r\nhello", "x BAD"}};
    for (const auto& c : sent) {
        CAPTURE(c.text);
        CHECK(has(talk.command(c.text), c.answer));
        CHECK(talk.command("NOOP") == "x OK NOOP completed\r\n");
    }
    CHECK(has(talk.command("SELECT {70000+}\r\n" + std::string(70000, 'x')), "x BAD [TOOBIG]"));
    CHECK(has(talk.command("APPEND INBOX {1000001+}\r\n" + std::string(1000001, 'x')), "x NO [TOOBIG]"));
    CHECK(talk.command("NOOP") == "x OK NOOP completed\r\n");
    CHECK(home.files() == 0);
}

TEST_CASE("a renamed mailbox stays selected", "[imapd]")
{
    Home home;
    Talk talk(home);
    talk.until("login ");
    talk.command("CREATE Old.sub");
    talk.command(append_of(hello, "Old.sub"));
    talk.command("SELECT Old.sub");
    CHECK(talk.command("RENAME Old New") == "x OK RENAME completed\r\n");
    CHECK(talk.command("FETCH 1 UID") == "* 1 FETCH (UID 1)\r\nx OK FETCH completed\r\n");
    talk.command(append_of(hello, "New.sub"));
    CHECK(has(talk.command("FETCH 2 UID"), "* 2 FETCH (UID 2)\r\n"));
}

TEST_CASE("literals that make a command too long are skipped with it", "[imapd]")
{
    Home home;
    Talk talk(home);
    talk.until("login ");
    std::string large(60000, 'x');
    std::string piece = "{60000+}\r\n" + large + " ";
    CHECK(has(talk.command("SEARCH TEXT " + piece + piece + piece + piece + "{4+}\r\nx OK"), "x BAD Command too long"));
    CHECK(talk.command("NOOP") == "x OK NOOP completed\r\n");
}

TEST_CASE("a client that vanishes within a literal leaves nothing behind", "[imapd]")
{
    Home home;
    Talk talk(home);
    talk.until("login ");
    talk.send("a APPEND INBOX {1000+}\r\nSubject: half\r\n");
    for (int i = 0; i < 10; ++i) talk.turn();
    talk.hang_up();
    CHECK(talk.over());
    CHECK(home.files() == 0);
}

TEST_CASE("twenty commands that are none end the session", "[imapd]")
{
    Home home;
    Talk talk(home);
    talk.until("login ");
    for (int i = 0; i < 19; ++i) CHECK(has(talk.command("FOO"), "x BAD"));
    talk.command("NOOP");
    for (int i = 0; i < 20; ++i) talk.send("(\r\n");
    std::string said = talk.rest();
    CHECK(has(said, "* BAD"));
    CHECK(has(said, "* BYE"));
}

TEST_CASE("hostile lines are answered, and no more", "[imapd]")
{
    Home home;
    Talk talk(home);
    talk.until("login ");
    talk.command("SELECT INBOX");
    CHECK(has(talk.command("NOOP " + std::string(65000, 'x')), "x BAD"));
    talk.send(std::string(300000, 'y') + "\r\n");
    CHECK(has(talk.until("* BAD"), "too long"));
    talk.command("NOOP");
    std::string deep(30000, '(');
    CHECK(has(talk.command("SEARCH " + deep), "x BAD"));
    std::string nots;
    for (int i = 0; i < 10000; ++i) nots += "NOT ";
    CHECK(has(talk.command("SEARCH " + nots + "SEEN"), "x BAD"));
    CHECK(has(talk.command("FETCH 1:4294967295 FLAGS"), "x BAD"));
    CHECK(has(talk.command("UID FETCH 1:4294967295 FLAGS"), "x OK"));
    CHECK(has(talk.command("LIST \"\" \"" + std::string(900, '*') + "\""), "x OK"));
    talk.send(std::string("\0\0\0\r\n", 5));
    CHECK(has(talk.until("* BAD"), "* BAD"));
    talk.send("\r\n");
    CHECK(has(talk.until("* BAD"), "* BAD"));
    CHECK(has(talk.command("UID"), "x BAD"));
    CHECK(has(talk.command("UID NOOP"), "x BAD"));
}

TEST_CASE("a client that does not read holds up nobody, and nothing piles up", "[imapd]")
{
    Home home;
    Talk talk(home);
    talk.until("login ");
    std::string message = "Subject: large\r\n\r\n" + std::string(900'000, 'x') + "\r\n";
    talk.command(append_of(message));
    talk.command("SELECT INBOX");
    for (int i = 0; i < 20; ++i) talk.send("f FETCH 1 BODY.PEEK[]\r\n");
    // Not read for a while; another session works meanwhile.
    for (int i = 0; i < 20; ++i) async::loop().run_once(async::Limit(1));
    Talk other(home);
    other.until("login ");
    CHECK(has(other.command("SELECT INBOX"), "* 1 EXISTS"));
    for (int i = 0; i < 20; ++i) {
        talk.until("* 1 FETCH");
        CHECK(talk.until(")").size() > 900'000);
        talk.until("f OK");
    }
    talk.command("NOOP");
}

TEST_CASE("a mailbox deleted underneath ends the session with BYE", "[imapd]")
{
    Home home;
    Talk a(home), b(home);
    a.until("login ");
    b.until("login ");
    a.command("CREATE Temp");
    a.command("SELECT Temp");
    b.command("DELETE Temp");
    a.send("n NOOP\r\n");
    CHECK(has(a.rest(), "* BYE"));
}
