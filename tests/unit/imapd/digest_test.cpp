// What was noted of a message is answered without it, and as the message itself would be.
#include "catch.h"

#include "digest.h"
#include "talk.h"

namespace {

const std::string letter =
    "Received: from somewhere\n\tby elsewhere\nFrom: =?utf-8?q?J=C3=B6rg?= <joerg@example.org>\nthis line is no field\n"
    "To: one@example.org,\n two@example.org\nSubject: folded\n\tsubject\nX-Other: other\nDate: Mon, 7 Feb 1994 21:52:25 +0000\n"
    "Subject : again\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nfirst part\n--b\nContent-Type: text/html\n\n<b>x</b>\n--b--\n";

const char* const asked[] = {
    "FETCH 1:* (UID INTERNALDATE RFC822.SIZE ENVELOPE)",
    "FETCH 1:* (BODY BODYSTRUCTURE PREVIEW)",
    "FETCH 1:* BODY.PEEK[HEADER.FIELDS (SUBJECT to Received)]",
    "FETCH 1:* BODY.PEEK[HEADER.FIELDS (subject TO date)]",
    "FETCH 1:* BODY.PEEK[HEADER.FIELDS (subject TO date)]<10.20>",
    "FETCH 1:* (ENVELOPE BODY.PEEK[HEADER.FIELDS (In-Reply-To)] ENVELOPE BODY)",
    "SEARCH FROM joerg",
    "SEARCH HEADER X-Other other",
    "SEARCH SUBJECT again",
    "SEARCH SENTON 7-Feb-1994",
    "SEARCH NOT SUBJECT \"\"",
    "SORT (DATE SUBJECT) UTF-8 ALL",
    "THREAD REFERENCES UTF-8 ALL",
};

std::vector<std::string> answers(const Home& home)
{
    Talk talk(home);
    talk.until("login ");
    talk.command("EXAMINE INBOX");
    std::vector<std::string> all;
    for (const char* command : asked) all.push_back(talk.command(command));
    talk.command("LOGOUT");
    return all;
}

} // namespace

TEST_CASE("notes answer as the messages do", "[imapd]")
{
    Home home;
    {
        Talk talk(home);
        talk.until("login ");
        for (const std::string& message : {letter, std::string("Subject: no end"), std::string(), std::string("\nno header\n")}) home.deliver(message);
        talk.command("SELECT INBOX");
    }
    std::vector<std::string> first = answers(home), again = answers(home);
    for (size_t i = 0; i < first.size(); ++i) {
        CAPTURE(asked[i]);
        CHECK(first[i] == again[i]);
        CHECK(has(first[i], "x OK"));
    }
    CHECK(has(first[0], "=?utf-8?q?J=C3=B6rg?="));
    CHECK(has(first[3], "\r\nTo: one@example.org,\r\n two@example.org\r\nSubject: folded\r\n\tsubject\r\nDate: "));
    CHECK(has(first[6], "* SEARCH 1\r\n"));
    CHECK(has(first[7], "* SEARCH 1\r\n"));

    // What notes can answer is answered by them alone.
    for (const auto& entry : std::filesystem::directory_iterator(home.maildir() + "/cur")) std::ofstream(entry.path()) << "Subject: other\n\n";
    std::vector<std::string> changed = answers(home);
    for (size_t i = 0; i < first.size(); ++i) {
        CAPTURE(asked[i]);
        bool needs_message = i == 2 || i == 7;
        CHECK((changed[i] != first[i]) == needs_message);
    }
}

TEST_CASE("the digest has the fields that programs ask for", "[imapd]")
{
    for (const char* name : {"from", "SUBJECT", "Date", "References", "List-Id"}) CHECK(imapd::is_digested(name));
    for (const char* name : {"Received", "", "X-Other", "Fro", "From:"}) CHECK_FALSE(imapd::is_digested(name));
}
