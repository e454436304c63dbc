// Dialogues of the extensions: searching and sorting, mod-sequences, many messages at once, UTF-8 names, compression.
#include "catch.h"

#include "catenate_url.h"
#include "talk.h"
#include "vanished.h"

#include <zlib.h>

using imapd::Interval;

namespace {

std::string message(const std::string& subject, const std::string& more = "")
{
    return "From: Anna <anna@example.org>\r\nSubject: " + subject + "\r\n" + more + "\r\n" + subject + " text\r\n";
}

// A session that has INBOX selected with messages of these subjects.
struct Fixture {
    Home home;
    Talk talk;
    explicit Fixture(const std::vector<std::string>& subjects = {}, const std::string& enable = "") : talk(home)
    {
        talk.until("login ");
        if (!enable.empty()) talk.command("ENABLE " + enable);
        for (const auto& subject : subjects) talk.command(append_of(message(subject)));
        talk.command("SELECT INBOX");
    }
};

std::string after(const std::string& text, const std::string& mark)
{
    size_t at = text.find(mark);
    if (at == std::string::npos) throw std::runtime_error(mark + " is not in " + text);
    at += mark.size();
    return text.substr(at, text.find_first_of(" )]\r", at) - at);
}

uint64_t number_after(const std::string& text, const std::string& mark) { return std::stoull(after(text, mark)); }

} // namespace

TEST_CASE("SEARCH RETURN", "[imapd]")
{
    Fixture f({"one", "two", "one more"});
    CHECK(has(f.talk.command("SEARCH RETURN (MIN MAX COUNT) SUBJECT one"), "* ESEARCH (TAG \"t5\") MIN 1 MAX 3 COUNT 2\r\nx OK"));
    CHECK(has(f.talk.command("UID SEARCH RETURN () ALL"), " UID ALL 1:3\r\n"));
    CHECK(f.talk.command("SEARCH RETURN (SAVE) SUBJECT one") == "x OK SEARCH completed\r\n");
    CHECK(has(f.talk.command("FETCH $ UID"), "* 1 FETCH (UID 1)\r\n* 3 FETCH (UID 3)\r\nx OK"));
    CHECK(has(f.talk.command("SEARCH NOT $"), "* SEARCH 2\r\n"));
    CHECK(has(f.talk.command("UID STORE $ +FLAGS.SILENT (\\Deleted)"), "x OK"));
    CHECK(has(f.talk.command("UID EXPUNGE 1"), "* 1 EXPUNGE\r\n"));
    CHECK(has(f.talk.command("UID FETCH $ FLAGS"), "* 2 FETCH (UID 3 FLAGS (\\Deleted))\r\nx OK"));
    CHECK(has(f.talk.command("SEARCH RETURN (SAVE) CHARSET none ALL"), "x NO [BADCHARSET"));
    CHECK(has(f.talk.command("SEARCH $"), "* SEARCH\r\nx OK"));
    CHECK(has(f.talk.command("SEARCH RETURN (SAVE COUNT) SUBJECT nothing"), "COUNT 0"));
    CHECK(has(f.talk.command("SEARCH RETURN (BAD) ALL"), "x BAD"));
}

TEST_CASE("SORT and THREAD", "[imapd]")
{
    Fixture f({"b", "Re: a", "a"});
    CHECK(f.talk.command("SORT (SUBJECT) UTF-8 ALL") == "* SORT 2 3 1\r\nx OK SORT completed\r\n");
    CHECK(f.talk.command("UID SORT (REVERSE ARRIVAL SIZE) US-ASCII SUBJECT a") == "* SORT 3 2\r\nx OK SORT completed\r\n");
    CHECK(f.talk.command("SORT (SUBJECT) UTF-8 SUBJECT none") == "* SORT\r\nx OK SORT completed\r\n");
    CHECK(has(f.talk.command("SORT RETURN (ALL COUNT) (REVERSE SUBJECT) UTF-8 ALL"), ") ALL 1:3 COUNT 3\r\n"));
    CHECK(has(f.talk.command("SORT (SUBJECT) X-NONE ALL"), "x NO [BADCHARSET"));
    CHECK(has(f.talk.command("SORT (SUBJECT) ALL"), "x NO [BADCHARSET"));
    CHECK(has(f.talk.command("SORT SUBJECT UTF-8 ALL"), "x BAD"));
    CHECK(f.talk.command("THREAD REFERENCES UTF-8 ALL") == "* THREAD (1)(3 2)\r\nx OK THREAD completed\r\n");
    CHECK(f.talk.command("UID THREAD ORDEREDSUBJECT UTF-8 SUBJECT a") == "* THREAD (2 3)\r\nx OK THREAD completed\r\n");
    CHECK(f.talk.command("THREAD REFS UTF-8 SUBJECT none") == "* THREAD\r\nx OK THREAD completed\r\n");
    CHECK(has(f.talk.command("THREAD OTHER UTF-8 ALL"), "x BAD"));
}

TEST_CASE("mod-sequences are told to those who ask", "[imapd]")
{
    Fixture f({"one", "two"});
    std::string selected = f.talk.command("SELECT INBOX (CONDSTORE)");
    CHECK(has(selected, "* OK [CLOSED] "));
    uint64_t highest = number_after(selected, "[HIGHESTMODSEQ ");
    std::string first = f.talk.command("FETCH 1 (FLAGS MODSEQ)");
    CHECK(number_after(first, "MODSEQ (") <= highest);
    std::string stored = f.talk.command("STORE 1 +FLAGS (\\Seen)");
    uint64_t now = number_after(stored, "MODSEQ (");
    CHECK(now > highest);
    CHECK(has(stored, "FLAGS (\\Seen"));
    CHECK(has(f.talk.command("STORE 2 +FLAGS.SILENT (\\Seen)"), "* 2 FETCH (MODSEQ ("));
    CHECK(has(f.talk.command("FETCH 1:2 FLAGS (CHANGEDSINCE " + std::to_string(now) + ")"), "* 2 FETCH (FLAGS (\\Seen) MODSEQ ("));
    CHECK(!has(f.talk.command("FETCH 1:2 FLAGS (CHANGEDSINCE " + std::to_string(now) + ")"), "* 1 FETCH"));
    CHECK(has(f.talk.command("STATUS INBOX (HIGHESTMODSEQ)"), "(HIGHESTMODSEQ "));
    std::string found = f.talk.command("SEARCH MODSEQ " + std::to_string(now + 1));
    CHECK(has(found, "* SEARCH 2 (MODSEQ "));
    CHECK(has(f.talk.command("SEARCH MODSEQ \"/flags/\\\\Draft\" all 1"), "* SEARCH 1 2 (MODSEQ "));
    CHECK(has(f.talk.command("UID SEARCH RETURN (ALL) MODSEQ 1"), "UID ALL 1:2 MODSEQ "));
    CHECK(has(f.talk.command("SEARCH MODSEQ 9000000000000000"), "* SEARCH\r\n"));
    CHECK(has(f.talk.command("FETCH 1 FLAGS (CHANGEDSINCE 1 VANISHED)"), "x BAD"));
    CHECK(has(f.talk.command("FETCH 1 FLAGS (UNCHANGEDSINCE 1)"), "x BAD"));
    CHECK(has(f.talk.command("SELECT INBOX (QRESYNC (1 1))"), "x BAD"));
}

TEST_CASE("a conditional STORE leaves what others changed", "[imapd]")
{
    Fixture f({"one", "two", "three"});
    Talk other(f.home);
    other.until("login ");
    other.command("SELECT INBOX");
    uint64_t highest = number_after(f.talk.command("SELECT INBOX"), "[HIGHESTMODSEQ ");
    other.command("STORE 2 +FLAGS (\\Flagged)");
    std::string stored = f.talk.command("STORE 1:3 (UNCHANGEDSINCE " + std::to_string(highest) + ") +FLAGS.SILENT ($Done)");
    CHECK(has(stored, "[MODIFIED 2] "));
    CHECK(has(stored, "* 2 FETCH (UID 2 MODSEQ ("));
    CHECK(has(stored, "FLAGS (\\Flagged"));
    CHECK(has(f.talk.command("SEARCH KEYWORD $Done"), "* SEARCH 1 3\r\n"));
    CHECK(has(f.talk.command("UID STORE 1:3 (UNCHANGEDSINCE 1) FLAGS ()"), "x OK [MODIFIED 1:3] "));
    CHECK(has(f.talk.command("STORE 1 (UNCHANGEDSINCE) FLAGS ()"), "x BAD"));
    // The first use enables CONDSTORE, and tells where things stand.
    CHECK(has(stored, "* OK [HIGHESTMODSEQ "));
    CHECK(has(other.command("ENABLE CONDSTORE"), "* OK [HIGHESTMODSEQ "));
    CHECK(!has(other.command("ENABLE CONDSTORE"), "HIGHESTMODSEQ"));
}

TEST_CASE("a client comes back and hears what it missed", "[imapd]")
{
    Fixture f({"one", "two", "three", "four"}, "QRESYNC");
    std::string selected = f.talk.command("SELECT INBOX");
    std::string validity = after(selected, "[UIDVALIDITY "), modseq = after(selected, "[HIGHESTMODSEQ ");
    f.talk.command("UNSELECT");
    Talk other(f.home);
    other.until("login ");
    other.command("SELECT INBOX");
    other.command("STORE 2 +FLAGS (\\Deleted)");
    other.command("EXPUNGE");
    other.command("STORE 1 +FLAGS (\\Flagged)");
    std::string back = f.talk.command("SELECT INBOX (QRESYNC (" + validity + " " + modseq + " 1:4))");
    CHECK(has(back, "* VANISHED (EARLIER) 2\r\n"));
    CHECK(has(back, "* 1 FETCH (UID 1 MODSEQ ("));
    CHECK(!has(back, "* 2 FETCH"));
    CHECK(has(f.talk.command("UID FETCH 1:* FLAGS (CHANGEDSINCE " + modseq + " VANISHED)"), "* VANISHED (EARLIER) 2\r\n* 1 FETCH (UID 1 "));
    // Another mailbox by now: nothing that the client knows counts.
    CHECK(!has(f.talk.command("SELECT INBOX (QRESYNC (7 " + modseq + "))"), "VANISHED"));
    CHECK(has(f.talk.command("SELECT INBOX (QRESYNC (" + validity + " " + modseq + " 1:4 (1:2 1:2)))"), "x OK"));
    // From now on VANISHED is the word for EXPUNGE.
    f.talk.command("UID STORE 3 +FLAGS.SILENT (\\Deleted)");
    std::string expunged = f.talk.command("EXPUNGE");
    CHECK(has(expunged, "* VANISHED 3\r\nx OK [HIGHESTMODSEQ "));
    CHECK(!has(expunged, "EXPUNGE\r\n"));
    other.command("STORE 1:* +FLAGS (\\Deleted)");
    other.command("EXPUNGE");
    CHECK(has(f.talk.command("NOOP"), "* VANISHED 1,4\r\n"));
}

TEST_CASE("what vanished, also when it is long ago", "[imapd]")
{
    using Gone = std::vector<Interval>;
    auto vanished = [](std::vector<Interval> wanted, std::vector<uint32_t> known, std::optional<std::vector<uint32_t>> expunged) {
        return imapd::vanished_of(wanted, known, expunged);
    };
    CHECK(vanished({{1, 10}}, {1, 5, 6, 10}, {{2, 3, 8}}) == Gone{{2, 3}, {8, 8}});
    CHECK(vanished({{1, 2}}, {1}, {{2, 3, 8}}) == Gone{{2, 2}});
    CHECK(vanished({{1, 10}}, {1, 5, 6, 10}, std::nullopt) == Gone{{2, 4}, {7, 9}});
    CHECK(vanished({{1, 3}, {9, 12}}, {}, std::nullopt) == Gone{{1, 3}, {9, 12}});
    CHECK(vanished({{4294967295, 4294967295}}, {4294967295}, std::nullopt).empty());
}

TEST_CASE("many messages in one APPEND", "[imapd]")
{
    Fixture f;
    std::string one = message("one"), two = message("two");
    auto literal = [](const std::string& text, const char* before = "") { return before + ("{" + std::to_string(text.size()) + "+}\r\n" + text); };
    CHECK(has(f.talk.command("APPEND INBOX (\\Seen) " + literal(one) + " (\\Flagged) \"17-Jul-1996 02:44:25 -0700\" " + literal(two)), " 1:2] APPEND completed"));
    CHECK(has(f.talk.command("FETCH 1:2 (FLAGS INTERNALDATE)"), "* 2 FETCH (FLAGS (\\Flagged) INTERNALDATE \"17-Jul-1996 09:44:25 +0000\")"));
    CHECK(has(f.talk.command("APPEND INBOX " + literal(one) + " {0+}\r\n"), "x NO"));
    CHECK(has(f.talk.command("APPEND INBOX " + literal(one) + " nonsense"), "x BAD"));
    CHECK(has(f.talk.command("APPEND INBOX " + literal(one) + " {2000000+}\r\n" + std::string(2000000, 'x') + " " + literal(two)), "x NO [TOOBIG]"));
    f.talk.send("s APPEND INBOX {5}\r\n");
    f.talk.until("+ ");
    f.talk.send("a: b\n {3}\r\n");
    f.talk.until("+ ");
    f.talk.send("c:d\r\n");
    CHECK(has(f.talk.until("s "), "s OK [APPENDUID "));
    CHECK(f.home.files() == 4);
}

TEST_CASE("a message is replaced", "[imapd]")
{
    Fixture f({"draft", "other"});
    std::string better = message("better");
    std::string literal = "{" + std::to_string(better.size()) + "+}\r\n" + better;
    std::string said = f.talk.command("REPLACE 1 INBOX (\\Seen) " + literal);
    CHECK(has(said, "* OK [APPENDUID "));
    CHECK(has(said, " 3] Replacement ready\r\n* 1 EXPUNGE\r\n* 2 EXISTS\r\n"));
    CHECK(has(f.talk.command("UID FETCH 3 BODY.PEEK[TEXT]"), "better text"));
    CHECK(has(f.talk.command("UID REPLACE 2 nowhere " + literal), "x NO [TRYCREATE]"));
    CHECK(has(f.talk.command("UID REPLACE 1 INBOX " + literal), "x NO [EXPUNGEISSUED]"));
    CHECK(has(f.talk.command("REPLACE 7 INBOX " + literal), "x BAD"));
    CHECK(has(f.talk.command("REPLACE 1 INBOX " + literal + " " + literal), "x NO [LIMIT]"));
    CHECK(f.home.files() == 2);
}

TEST_CASE("binary parts are given as they were before they were encoded", "[imapd]")
{
    Fixture f;
    std::string mime = "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n"
                       "Content-Transfer-Encoding: quoted-printable\r\n\r\na=3Db=\r\nc\r\n--b\r\nContent-Type: image/x\r\nContent-Transfer-Encoding: base64\r\n\r\n"
                       "AAECAw==\r\n--b\r\nContent-Transfer-Encoding: x-unknown\r\n\r\nx\r\n--b--\r\n";
    f.talk.command(append_of(mime));
    CHECK(has(f.talk.command("FETCH 1 (BINARY.SIZE[1] BINARY.PEEK[1])"), "* 1 FETCH (BINARY.SIZE[1] 4 BINARY[1] {4}\r\na=bc)\r\nx OK"));
    std::string image = f.talk.command("FETCH 1 BINARY.PEEK[2]");
    CHECK(has(image, std::string_view("BINARY[2] ~{4}\r\n\0\1\2\3)\r\nx OK", 27)));
    CHECK(has(f.talk.command("FETCH 1 BINARY.PEEK[2]<1.2>"), std::string_view("BINARY[2]<1> {2}\r\n\1\2)", 21)));
    CHECK(has(f.talk.command("FETCH 1 BINARY.PEEK[3]"), "x NO [UNKNOWN-CTE]"));
    CHECK(has(f.talk.command("FETCH 1 BINARY.PEEK[1.MIME]"), "x BAD"));
    CHECK(has(f.talk.command("FETCH 1 BINARY[4]"), "BINARY[4] NIL FLAGS (\\Seen"));
    f.talk.send("b APPEND INBOX ~{8+}\r\n" + std::string("a: \r\n\r\n\0", 8) + "\r\n");
    CHECK(has(f.talk.until("b "), "b OK"));
    CHECK(has(f.talk.command("FETCH 2 BODY.PEEK[TEXT]"), "{1}\r\n\x80)"));
}

TEST_CASE("a message is made from pieces of others", "[imapd]")
{
    Fixture f({"one"});
    std::string validity = after(f.talk.command("SELECT INBOX"), "[UIDVALIDITY ");
    std::string url = "/INBOX;UIDVALIDITY=" + validity + "/;UID=1/;SECTION=TEXT";
    CHECK(has(f.talk.command("APPEND INBOX (\\Seen) CATENATE (TEXT {10+}\r\nX: y\r\n\r\n\r\n URL \"" + url + "\" URL \"/;UID=1/;SECTION=TEXT/;PARTIAL=0.3\")"),
              " 2] APPEND completed"));
    CHECK(has(f.talk.command("FETCH 2 BODY.PEEK[]"), "X: y\r\n\r\n\r\none text\r\none)"));
    CHECK(has(f.talk.command("APPEND INBOX CATENATE (URL \"/INBOX/;UID=9\")"), "x NO [BADURL \"/INBOX/;UID=9\"]"));
    CHECK(has(f.talk.command("APPEND INBOX CATENATE (URL {14+}\r\n/INBOX/;UID=9x TEXT {1+}\r\na)"), "x NO [BADURL"));
    CHECK(has(f.talk.command("APPEND INBOX CATENATE (TEXT {1+}\r\na) {1+}\r\na"), "x OK"));
    CHECK(has(f.talk.command("APPEND INBOX CATENATE ()"), "x BAD"));
    for (std::string bad : {"", "imap://a/b;uid=1", "/INBOX/;UID=0", "/INBOX;UIDVALIDITY=x/;UID=1", "/;UID=1/;SECTION=", "/;UID=1/;PARTIAL=x", "/INBOX;UID=1", "/%zz/;UID=1",
                            "/;UID=1/;SECTION=1.FOO", "/;UID=1/x"}) {
        CAPTURE(bad);
        CHECK(!imapd::parse_message_url(bad));
    }
    auto full = imapd::parse_message_url("/a%20b;UIDVALIDITY=7/;uid=20/;section=1.2.MIME/;partial=5.10");
    REQUIRE(full);
    CHECK(full->mailbox == "a b");
    CHECK(full->uid_validity == 7u);
    CHECK(full->section.path == std::vector<uint32_t>{1, 2});
    CHECK(full->count == 10u);
}

TEST_CASE("names in UTF-8", "[imapd]")
{
    Fixture f;
    f.talk.command("CREATE &1VyuAA-");
    CHECK(has(f.talk.command("ENABLE UTF8=ACCEPT"), "* ENABLED UTF8=ACCEPT\r\n"));
    CHECK(has(f.talk.command("LIST \"\" *"), " \"한글\"\r\n"));
    CHECK(has(f.talk.command("STATUS \"한글\" (MESSAGES)"), "* STATUS \"한글\" (MESSAGES 0)\r\n"));
    CHECK(has(f.talk.command("CREATE \"R&D\""), "x OK"));
    CHECK(has(f.talk.command("LIST \"\" R*"), " R&D\r\n"));
    CHECK(has(f.talk.command("CREATE \"\xff\""), "x BAD"));
    f.talk.command("SELECT INBOX");
    CHECK(has(f.talk.command("SEARCH CHARSET UTF-8 ALL"), "x BAD"));
    CHECK(has(f.talk.command("APPEND \"한글\" UTF8 (~{4+}\r\na: b)"), "x OK"));
}

TEST_CASE("IMAP4rev2", "[imapd]")
{
    Fixture f({"one"}, "IMAP4rev2");
    f.home.deliver("Subject: new\n\nnew\n");
    std::string selected = f.talk.command("SELECT INBOX");
    CHECK(has(selected, "* LIST () \".\" INBOX\r\n"));
    CHECK(!has(selected, "RECENT"));
    CHECK(!has(selected, "Recent"));
    CHECK(has(f.talk.command("SEARCH ALL"), ") ALL 1:2\r\n"));
    CHECK(has(f.talk.command("FETCH 2 FLAGS"), "FLAGS ())"));
}

TEST_CASE("PREVIEW and SAVEDATE", "[imapd]")
{
    Fixture f;
    f.talk.command(append_of("Subject: x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<style>p {}</style><p>Gr\xc3\xbc\xc3\x9f&amp;e\r\n  <b>you</b></p>" +
                             std::string(300, 'y') + "\r\n"));
    std::string said = f.talk.command("FETCH 1 (PREVIEW (LAZY))");
    CHECK(has(said, "Gr\xc3\xbc\xc3\x9f&e you yyy"));
    f.talk.command(append_of("Content-Type: image/png\r\n\r\nx"));
    CHECK(has(f.talk.command("FETCH 2 PREVIEW"), "PREVIEW \"\""));
    CHECK(has(f.talk.command("FETCH 1 SAVEDATE"), "SAVEDATE \""));
    CHECK(has(f.talk.command("SEARCH SAVEDSINCE 1-Jan-2020"), "* SEARCH 1 2\r\n"));
    CHECK(has(f.talk.command("SEARCH SAVEDBEFORE 1-Jan-2020"), "* SEARCH\r\n"));
}

TEST_CASE("what clients note of mailboxes", "[imapd]")
{
    Fixture f;
    CHECK(f.talk.command("SETMETADATA INBOX (/private/comment \"mine\" /private/a/b {1+}\r\nx)") == "x OK SETMETADATA completed\r\n");
    CHECK(has(f.talk.command("GETMETADATA INBOX /Private/Comment"), "* METADATA INBOX (/private/comment \"mine\")\r\nx OK"));
    CHECK(has(f.talk.command("GETMETADATA (DEPTH infinity) INBOX (/private)"), "x BAD"));
    CHECK(has(f.talk.command("GETMETADATA (DEPTH 1) INBOX (/private/a)"), "(/private/a/b \"x\")\r\n"));
    CHECK(f.talk.command("GETMETADATA INBOX /private/a") == "x OK GETMETADATA completed\r\n");
    CHECK(has(f.talk.command("GETMETADATA (MAXSIZE 2) INBOX (/private/comment)"), "x OK [METADATA LONGENTRIES 4]"));
    CHECK(has(f.talk.command("SETMETADATA \"\" (/shared/comment \"server\")"), "x OK"));
    CHECK(has(f.talk.command("GETMETADATA \"\" /shared/comment"), "* METADATA \"\" (/shared/comment \"server\")"));
    CHECK(has(f.talk.command("SETMETADATA INBOX (/private/comment NIL)"), "x OK"));
    CHECK(!has(f.talk.command("GETMETADATA INBOX /private/comment"), "mine"));
    CHECK(has(f.talk.command("SETMETADATA nowhere (/private/comment \"x\")"), "x NO [NONEXISTENT]"));
    CHECK(has(f.talk.command("SETMETADATA INBOX (/private/c {65000+}\r\n" + std::string(65000, 'x') + ")"), "x OK"));
    for (std::string bad : {"(/other/x \"x\")", "(/private/ \"x\")", "(/private/* \"x\")", "(/private/a//b \"x\")", "()", "(/private/a)"}) {
        CAPTURE(bad);
        CHECK(has(f.talk.command("SETMETADATA INBOX " + bad), "x BAD"));
    }
    f.talk.command("CREATE A");
    f.talk.command("SETMETADATA A (/private/comment \"a\")");
    f.talk.command("RENAME A B");
    CHECK(has(f.talk.command("GETMETADATA B /private/comment"), "\"a\""));
    f.talk.command("DELETE B");
    f.talk.command("CREATE B");
    CHECK(!has(f.talk.command("GETMETADATA B /private/comment"), "\"a\""));
}

TEST_CASE("a mailbox is made for a use", "[imapd]")
{
    Fixture f;
    CHECK(has(f.talk.command("CREATE Outgoing (USE (\\sent))"), "x OK"));
    CHECK(has(f.talk.command("CREATE Sent"), "x OK"));
    std::string all = f.talk.command("LIST \"\" *");
    CHECK(has(all, "* LIST (\\HasNoChildren \\Sent) \".\" Outgoing\r\n"));
    CHECK(has(all, "* LIST (\\HasNoChildren) \".\" Sent\r\n"));
    CHECK(!has(f.talk.command("LIST (SPECIAL-USE) \"\" *"), " Sent\r\n"));
    CHECK(has(f.talk.command("CREATE All (USE (\\All))"), "x NO [USEATTR]"));
    CHECK(has(f.talk.command("CREATE Two (USE (\\Sent \\Trash))"), "x NO [USEATTR]"));
    CHECK(has(f.talk.command("CREATE x (FOO)"), "x BAD"));
    f.talk.command("RENAME Outgoing Out");
    CHECK(has(f.talk.command("LIST (SPECIAL-USE) \"\" *"), "\\Sent) \".\" Out\r\n"));
}

TEST_CASE("compression", "[imapd]")
{
    Fixture f({"one"});
    CHECK(has(f.talk.command("COMPRESS LZW"), "x BAD"));
    CHECK(f.talk.command("COMPRESS DEFLATE") == "x OK Begin compression.\r\n");
    z_stream out{}, in{};
    ::deflateInit2(&out, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY);
    ::inflateInit2(&in, -15);
    auto packed = [&](std::string text) {
        std::string bytes(text.size() + 1000, '\0');
        out.next_in = reinterpret_cast<Bytef*>(text.data());
        out.avail_in = static_cast<uInt>(text.size());
        out.next_out = reinterpret_cast<Bytef*>(bytes.data());
        out.avail_out = static_cast<uInt>(bytes.size());
        ::deflate(&out, Z_SYNC_FLUSH);
        bytes.resize(bytes.size() - out.avail_out);
        return bytes;
    };
    f.talk.send(packed("a FETCH 1 BODY[]\r\nb COMPRESS DEFLATE\r\n"));
    std::string heard;
    for (int i = 0; i < 1000 && !has(heard, "b NO"); ++i) {
        f.talk.turn();
        std::string bytes = f.talk.take();
        std::string text(100'000, '\0');
        in.next_in = reinterpret_cast<Bytef*>(bytes.data());
        in.avail_in = static_cast<uInt>(bytes.size());
        in.next_out = reinterpret_cast<Bytef*>(text.data());
        in.avail_out = static_cast<uInt>(text.size());
        ::inflate(&in, Z_SYNC_FLUSH);
        heard += text.substr(0, text.size() - in.avail_out);
    }
    CHECK(has(heard, "one text\r\n"));
    CHECK(has(heard, "a OK FETCH completed\r\nb NO [COMPRESSIONACTIVE]"));
    f.talk.send("this is not compressed at all, as any fool can see");
    f.talk.rest();
    CHECK(f.talk.over());
    ::deflateEnd(&out);
    ::inflateEnd(&in);
}
