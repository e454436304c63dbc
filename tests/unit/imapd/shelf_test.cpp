// A mailbox that was closed a moment ago is opened without a look at every file, and is as if it were opened anew.
#include "catch.h"

#include "shelf.h"
#include "talk.h"

namespace {

std::string many(const Home& home, int count)
{
    for (int i = 0; i < count; ++i) home.deliver("Subject: x\n\nx\n");
    return std::to_string(count);
}

} // namespace

TEST_CASE("a mailbox from the shelf is as new", "[imapd]")
{
    Home home;
    { Talk talk(home); talk.until("login "); }
    many(home, 300);
    Talk talk(home);
    talk.until("login ");
    CHECK(has(talk.command("SELECT INBOX"), "* 300 EXISTS\r\n* 300 RECENT\r\n"));
    talk.command("STORE 7 +FLAGS (\\Flagged $Mark)");
    CHECK(talk.command("UNSELECT") == "x OK UNSELECT completed\r\n");
    CHECK(imapd::shelf().size() == 1);
    std::string again = talk.command("SELECT inbox");
    CHECK(has(again, "* 300 EXISTS\r\n* 0 RECENT\r\n"));
    CHECK(has(again, "$Mark"));
    CHECK(imapd::shelf().size() == 0);
    CHECK(has(talk.command("SEARCH FLAGGED"), "* SEARCH 7\r\n"));

    // What happened to it meanwhile is seen.
    talk.command("UNSELECT");
    home.deliver("Subject: new\n\nnew\n");
    {
        Talk other(home);
        other.until("login ");
        other.command("EXAMINE INBOX");
        CHECK(imapd::shelf().size() == 1);         // that one is for writing
        other.command("LOGOUT");
    }
    std::filesystem::remove(*std::filesystem::directory_iterator(home.maildir() + "/cur"));
    CHECK(has(talk.command("SELECT INBOX"), "* 300 EXISTS\r\n* 1 RECENT\r\n"));
}

TEST_CASE("a mailbox that was replaced meanwhile does not come from the shelf", "[imapd]")
{
    Home home;
    Talk talk(home);
    talk.until("login ");
    talk.command("CREATE Work");
    for (int i = 0; i < 250; ++i) home.deliver("Subject: x\n\nx\n", "/.Work");
    CHECK(has(talk.command("SELECT Work"), "* 250 EXISTS"));
    talk.command("UNSELECT");
    CHECK(has(talk.command("DELETE Work"), "x OK"));
    CHECK(has(talk.command("SELECT Work"), "x NO [NONEXISTENT]"));
    talk.command("CREATE Work");
    home.deliver("Subject: x\n\nx\n", "/.Work");
    CHECK(has(talk.command("SELECT Work"), "* 1 EXISTS"));
    talk.command("UNSELECT");
    for (int i = 0; i < 250; ++i) home.deliver("Subject: x\n\nx\n", "/.Work");
    talk.command("SELECT Work");
    talk.command("UNSELECT");
    CHECK(has(talk.command("DELETE Work"), "x OK"));
    talk.command("CREATE Work");
    CHECK(has(talk.command("SELECT Work"), "* 0 EXISTS"));
}

TEST_CASE("the shelf is small", "[imapd]")
{
    Home home;
    imapd::Shelf shelf;
    { Talk talk(home); talk.until("login "); }
    auto store = store::open_store(store::parse_location("maildir:~/Maildir", {"anna", home.path()}));
    auto open = [&] { return store->open("INBOX", store::Access::read_only); };
    shelf.put("few", open());
    CHECK(shelf.size() == 0);
    many(home, 250);
    for (int i = 0; i < 20; ++i) shelf.put(std::to_string(i), open());
    CHECK(shelf.size() == imapd::Shelf::most_boxes);
    CHECK(!shelf.take("0"));
    CHECK(shelf.take("19"));
    CHECK(!shelf.take("19"));
    shelf.put("18", open());
    CHECK(shelf.size() == imapd::Shelf::most_boxes - 1);
}
