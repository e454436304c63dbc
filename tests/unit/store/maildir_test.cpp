// A Maildir under several sessions and other programs at once.
#include "catch.h"
#include "unit/store/temporary_folder.h"

#include "store/maildir_writer.h"
#include "store/store.h"

#include <sys/stat.h>
#include <unistd.h>

#include <thread>

using namespace store;

namespace {

using Uids = std::vector<uint32_t>;

struct Fixture {
    TemporaryFolder folder;
    Location location{Format::maildir, folder / "Maildir", {}, {}, false};
    std::unique_ptr<Store> store = open_store(location);

    std::string deliver(std::string_view text = "Subject: x\r\n\r\nbody\r\n", const std::string& name = "Maildir")
    {
        MaildirWriter writer(folder / name);
        writer.write(text);
        return writer.commit();
    }
    std::unique_ptr<Mailbox> open(std::string_view name = "INBOX", Access access = Access::read_write) { return store->open(name, access); }
    void rename(const std::string& from, const std::string& to) { REQUIRE(::rename((folder / from).c_str(), (folder / to).c_str()) == 0); }
};

Uids uids(const Mailbox& mailbox)
{
    Uids all;
    for (const Message& message : mailbox.messages()) all.push_back(message.uid);
    return all;
}

} // namespace

TEST_CASE("delivered messages get UIDs in order of arrival, once and for all", "[store]")
{
    Fixture f;
    for (int i = 0; i < 5; ++i) f.deliver();
    auto first = f.open();
    CHECK(uids(*first) == Uids{1, 2, 3, 4, 5});
    CHECK(first->uid_next() == 6);
    CHECK(first->uid_validity() != 0);
    CHECK(first->messages()[0].flags == flag::recent);
    CHECK(f.folder.list("Maildir/new").empty());
    CHECK(f.folder.list("Maildir/cur").size() == 5);
    CHECK(!first->refresh().any());
    auto second = open_store(f.location)->open("inbox", Access::read_write);
    CHECK(uids(*second) == Uids{1, 2, 3, 4, 5});
    CHECK(second->uid_validity() == first->uid_validity());
    CHECK(second->messages()[0].flags == 0);
    f.deliver();
    CHECK(second->refresh().added == Uids{6});
    CHECK(first->refresh().added == Uids{6});
    CHECK(second->messages().back().flags == flag::recent);
    CHECK(first->messages().back().flags == 0);
    CHECK(first->expunge(Uids{2, 6, 77}) == Uids{2, 6});
    CHECK(uids(*first) == Uids{1, 3, 4, 5});
    CHECK(second->refresh().expunged == Uids{2, 6});
    f.deliver();
    CHECK(first->refresh().added == Uids{7});
    CHECK(second->refresh().added == Uids{7});
    CHECK(uids(*f.open()) == Uids{1, 3, 4, 5, 7});
}

TEST_CASE("a session that only reads leaves new messages where they are", "[store]")
{
    Fixture f;
    f.deliver();
    auto reader = f.open("INBOX", Access::read_only);
    CHECK(reader->messages().at(0).flags == flag::recent);
    CHECK(f.folder.list("Maildir/new").size() == 1);
    std::optional<Status> status = f.store->status("INBOX", {.size = true});
    REQUIRE(status);
    CHECK(status->messages == 1);
    CHECK(status->recent == 1);
    CHECK(status->unseen == 1);
    CHECK(status->uid_next == 2);
    CHECK(status->size == 20);
    auto writer = f.open();
    CHECK(writer->messages().at(0).flags == flag::recent);
    CHECK(reader->refresh().expunged.empty());
    CHECK(reader->content(1)->crlf() == "Subject: x\r\n\r\nbody\r\n");
}

TEST_CASE("content is found under whatever name the file has by now", "[store]")
{
    Fixture f;
    std::string name = f.deliver();
    auto mailbox = f.open();
    CHECK(mailbox->content(1)->raw() == "Subject: x\n\nbody\n");
    f.rename("Maildir/cur/" + name + ":2,", "Maildir/cur/" + name + ":2,FS");
    CHECK(mailbox->content(1)->crlf() == "Subject: x\r\n\r\nbody\r\n");
    CHECK(mailbox->size(1) == 20u);
    CHECK(mailbox->date(1).has_value());
    Changes changes = mailbox->refresh();
    CHECK(changes.flags == Uids{1});
    CHECK((mailbox->messages()[0].flags & flag::system) == (flag::flagged | flag::seen));
    REQUIRE(::unlink((f.folder / ("Maildir/cur/" + name + ":2,FS")).c_str()) == 0);
    CHECK(!mailbox->content(1));
    CHECK(!mailbox->date(1));
    CHECK(mailbox->refresh().expunged == Uids{1});
    CHECK(!mailbox->content(1));
    CHECK(!mailbox->size(1));
}

TEST_CASE("large contents are the same bytes", "[store]")
{
    Fixture f;
    std::string line(70, 'x'), text = "Subject: big\r\n\r\n";
    while (text.size() < 1'000'000) text += line + "\r\n";
    f.deliver(text);
    auto mailbox = f.open();
    std::optional<Content> content = mailbox->content(1);
    Content moved = std::move(*content);
    CHECK(moved.crlf() == text);
    CHECK(mailbox->size(1) == text.size());
}

TEST_CASE("flags are letters in the name, and both sides' changes survive", "[store]")
{
    Fixture f;
    std::string name = f.deliver();
    auto first = f.open(), second = f.open();
    CHECK(first->set_flags(Uids{1}, FlagChange::add, flag::seen | flag::answered | flag::recent) == Uids{1});
    CHECK(f.folder.list("Maildir/cur") == std::vector<std::string>{name + ":2,RS"});
    CHECK(second->set_flags(Uids{1}, FlagChange::add, flag::flagged) == Uids{1});
    CHECK(f.folder.list("Maildir/cur") == std::vector<std::string>{name + ":2,FRS"});
    CHECK(first->refresh().flags == Uids{1});
    CHECK(first->set_flags(Uids{1}, FlagChange::remove, flag::answered) == Uids{1});
    CHECK(first->set_flags(Uids{1}, FlagChange::remove, flag::answered).empty());
    CHECK(first->set_flags(Uids{1}, FlagChange::replace, flag::draft | flag::deleted) == Uids{1});
    CHECK(f.folder.list("Maildir/cur") == std::vector<std::string>{name + ":2,DT"});
    CHECK((first->messages()[0].flags & flag::recent) != 0);
    CHECK(first->set_flags(Uids{5}, FlagChange::add, flag::seen).empty());
    // Letters of others are kept.
    f.rename("Maildir/cur/" + name + ":2,DT", "Maildir/cur/" + name + ":2,PT,x=1");
    CHECK(second->set_flags(Uids{1}, FlagChange::add, flag::draft) == Uids{1});
    CHECK(f.folder.list("Maildir/cur") == std::vector<std::string>{name + ":2,DPT,x=1"});
}

TEST_CASE("what mutt does to a folder is seen", "[store]")
{
    Fixture f;
    std::string a = f.deliver(), b = f.deliver(), c = f.deliver();
    auto reader = f.open("INBOX", Access::read_only);
    f.rename("Maildir/new/" + a, "Maildir/cur/" + a + ":2,FS");
    REQUIRE(::unlink((f.folder / ("Maildir/new/" + b)).c_str()) == 0);
    f.folder.write("Maildir/cur/1700000000.R123.host:2,D", "draft\n");
    Changes changes = reader->refresh();
    CHECK(changes.flags == Uids{1});
    CHECK(changes.expunged == Uids{2});
    CHECK(changes.added == Uids{4});
    CHECK(uids(*reader) == Uids{1, 3, 4});
    CHECK(reader->messages()[2].flags == flag::draft);
    CHECK(reader->size(4) == 7u);
}

TEST_CASE("messages are numbered in the order of their delivery, to the microsecond", "[store]")
{
    Fixture f;
    for (const char* name : {"1700000000.M100000P7Q3.host", "1700000000.M99999P7Q2.host", "1700000000.M99999P7Q10.host", "999999999.M5P7Q1.host"})
        f.folder.write(std::string("Maildir/new/") + name, std::string("Subject: ") + name + "\n\nx\n");
    auto mailbox = f.open();
    REQUIRE(mailbox->messages().size() == 4);
    auto holds = [&](uint32_t uid, const char* name) { return std::string(mailbox->content(uid)->crlf()).find(name) != std::string::npos; };
    CHECK(holds(1, "999999999."));
    CHECK(holds(2, "M99999P7Q2."));
    CHECK(holds(3, "M99999P7Q10."));
    CHECK(holds(4, "M100000P7Q3."));
}

TEST_CASE("a removed file that turns up again is a new message", "[store]")
{
    Fixture f;
    std::string a = f.deliver(), b = f.deliver();
    auto mailbox = f.open();
    f.rename("Maildir/cur/" + a + ":2,", "away");
    CHECK(mailbox->refresh().expunged == Uids{1});
    f.rename("away", "Maildir/cur/" + a + ":2,S");
    CHECK(mailbox->refresh().added == Uids{3});
    CHECK(uids(*mailbox) == Uids{2, 3});
    CHECK(uids(*f.open()) == Uids{2, 3});
}

TEST_CASE("names and files that are no messages are passed over", "[store]")
{
    Fixture f;
    f.folder.write("Maildir/cur/.hidden", "x");
    f.folder.write("Maildir/cur/two\nlines:2,S", "x");
    f.folder.write("Maildir/cur/folder/file", "x");
    f.folder.write("Maildir/cur/odd name:2,S", "x\n");
    f.folder.write("Maildir/cur/:2,S", "x");
    f.folder.write("Maildir/cur/twice:2,S", "x");
    f.folder.write("Maildir/new/twice", "x");
    auto mailbox = f.open();
    CHECK(mailbox->messages().size() == 2);
    CHECK(mailbox->content(1)->crlf() == "x\r\n");
    CHECK(f.open()->messages().size() == 2);
}

TEST_CASE("people who come from Dovecot keep UIDs, keywords and POP3 ids", "[store]")
{
    Fixture f;
    f.folder.write("Maildir/cur/1276528487.M364837P9451.kurkku,S=6,W=7:2,Sa", "x: y\n\n");
    f.folder.write("Maildir/cur/1276533073.M242911P3632.kurkku:2,b", "z\n");
    f.folder.write("Maildir/dovecot-uidlist", "3 V1275660208 N25022 G3085f01b7f11094c501100008c4a11c1\n"
                                              "25006 :1276528487.M364837P9451.kurkku,S=6,W=7\n"
                                              "25010 :gone\n"
                                              "25017 W2481 Pabc.def :1276533073.M242911P3632.kurkku:2,S\n");
    f.folder.write("Maildir/dovecot-keywords", "0 $Forwarded\n1 Junk\n");
    auto mailbox = f.open();
    CHECK(mailbox->uid_validity() == 1275660208);
    CHECK(mailbox->uid_next() == 25022);
    CHECK(uids(*mailbox) == Uids{25006, 25017});
    CHECK(mailbox->named(mailbox->messages()[0].flags).keywords == std::vector<std::string>{"$Forwarded"});
    CHECK(mailbox->named(mailbox->messages()[1].flags).keywords == std::vector<std::string>{"Junk"});
    CHECK_FALSE(mailbox->kept_pop3_id(25006));
    CHECK(mailbox->kept_pop3_id(25017) == "abc.def");
    f.deliver();
    CHECK(mailbox->refresh().added == Uids{25022});
}

TEST_CASE("keywords get letters until there are none left", "[store]")
{
    Fixture f;
    f.deliver();
    auto first = f.open(), second = f.open();
    CHECK(!first->keyword("Work", false));
    std::optional<Flags> work = first->keyword("Work", true);
    CHECK(work == flag::keyword(0));
    CHECK(first->keyword("wORK", true) == work);
    CHECK(second->keyword("Home", true) == flag::keyword(1));
    first->set_flags(Uids{1}, FlagChange::add, *work);
    CHECK(second->refresh().flags == Uids{1});
    CHECK(first->refresh().keywords);
    CHECK(first->keywords() == std::vector<std::string>{"Work", "Home"});
    for (const char* bad : {"", "a b", "a(", "\\Seen", "a\"", "a\n1 x", "\xc3\xa4"}) CHECK(!first->keyword(bad, true));
    for (int i = 2; i < 26; ++i) CHECK(first->keyword(fmt::format("k{}", i), true) == flag::keyword(static_cast<size_t>(i)));
    CHECK(!first->keyword("one-more", true));
    CHECK(f.folder.read("Maildir/dovecot-keywords").substr(0, 14) == "0 Work\n1 Home\n");
}

TEST_CASE("a lost UID list means another UIDVALIDITY and says so", "[store]")
{
    Fixture f;
    f.deliver();
    f.deliver();
    auto mailbox = f.open();
    uint32_t before = mailbox->uid_validity();
    REQUIRE(::unlink((f.folder / "Maildir/dovecot-uidlist").c_str()) == 0);
    CHECK(mailbox->refresh().reset);
    CHECK(mailbox->uid_validity() > before);
    CHECK(uids(*mailbox) == Uids{1, 2});
    CHECK(!mailbox->refresh().any());
}

TEST_CASE("an appended message has its flags, date and UID at once", "[store]")
{
    Fixture f;
    REQUIRE(f.store->create("Sent") == Answer::done);
    auto watcher = f.open("Sent");
    auto message = f.store->append("Sent");
    REQUIRE(message);
    message->write("From: a\r\n\r\nhello\r\n");
    NewMessage::Place place = message->commit({flag::seen, {"$MDNSent", "bad word"}}, 1'000'000'000);
    CHECK(place.uid == 1);
    CHECK(place.uid_validity == watcher->uid_validity());
    Changes changes = watcher->refresh();
    CHECK(changes.added == Uids{1});
    CHECK(changes.keywords);
    CHECK(watcher->named(watcher->messages()[0].flags).keywords == std::vector<std::string>{"$MDNSent"});
    CHECK(watcher->date(1) == 1'000'000'000);
    CHECK(watcher->size(1) == 18u);
    f.store->append("Sent")->write("dropped");
    CHECK(!watcher->refresh().any());
    CHECK(f.folder.list("Maildir/.Sent/tmp").empty());
    CHECK(!f.store->append("None"));
    auto fresh = f.store->append("INBOX");
    fresh->write("x\r\n");
    CHECK(fresh->commit({}, 1).uid == 1);
}

TEST_CASE("a copy is a link with the same flags, date and keywords", "[store]")
{
    Fixture f;
    REQUIRE(f.store->create("Archive.2026") == Answer::done);
    f.store->open("Archive.2026", Access::read_write)->keyword("Other", true);
    std::string name = f.deliver();
    f.deliver();
    f.deliver();
    auto inbox = f.open();
    inbox->set_flags(Uids{1}, FlagChange::add, flag::flagged | *inbox->keyword("Work", true));
    REQUIRE(::unlink((f.folder / ("Maildir/cur/" + f.folder.list("Maildir/cur")[1])).c_str()) == 0);
    auto result = f.store->copy(*inbox, Uids{1, 2, 3, 9}, "Archive.2026");
    REQUIRE(result);
    REQUIRE(result->uids.size() == 2);
    CHECK(result->uids[0].from == 1);
    CHECK(result->uids[0].to == 1);
    CHECK(result->uids[1].from == 3);
    CHECK(result->uids[1].to == 2);
    auto archive = f.open("Archive.2026");
    CHECK(archive->uid_validity() == result->uid_validity);
    CHECK(uids(*archive) == Uids{1, 2});
    CHECK(archive->named(archive->messages()[0].flags).keywords == std::vector<std::string>{"Work"});
    CHECK((archive->messages()[0].flags & flag::flagged) != 0);
    CHECK(archive->date(1) == inbox->date(1));
    struct stat info{};
    REQUIRE(::stat((f.folder / ("Maildir/cur/" + name + ":2,Fa")).c_str(), &info) == 0);
    CHECK(info.st_nlink == 2);
    CHECK(!f.store->copy(*inbox, Uids{1}, "None"));
    CHECK(f.store->copy(*inbox, Uids{1}, "INBOX")->uids.at(0).to == 4);
    CHECK(inbox->refresh().added == Uids{4});
}

TEST_CASE("leftovers of a crash go after 36 hours", "[store]")
{
    Fixture f;
    f.folder.write("Maildir/tmp/old", "half");
    f.folder.write("Maildir/tmp/young", "half");
    auto mailbox = f.open();
    CHECK(mailbox->messages().empty());
    // The change time can't be set back, so nothing is old enough here: only that nothing young goes is shown.
    CHECK(f.folder.list("Maildir/tmp").size() == 2);
}

TEST_CASE("two sessions and deliveries at the same time agree on every UID", "[store]")
{
    Fixture f;
    constexpr int messages = 150;
    auto session = [&] {
        auto mailbox = open_store(f.location)->open("INBOX", Access::read_write);
        std::map<uint32_t, std::string> seen;
        while (mailbox->messages().size() < messages) {
            mailbox->refresh();
            for (const Message& message : mailbox->messages()) {
                if (seen.contains(message.uid)) continue;
                seen[message.uid] = std::string(mailbox->content(message.uid).value().raw());
                mailbox->set_flags(Uids{message.uid}, FlagChange::add, flag::seen);
            }
        }
        return seen;
    };
    std::map<uint32_t, std::string> first, second;
    std::thread one([&] { first = session(); }), two([&] { second = session(); });
    for (int i = 0; i < messages; ++i) f.deliver(fmt::format("{}\r\n", i));
    one.join();
    two.join();
    CHECK(first.size() == messages);
    CHECK(first == second);
    auto last = f.open();
    CHECK(last->messages().size() == messages);
    for (const Message& message : last->messages()) CHECK(first[message.uid] == last->content(message.uid)->raw());
}

TEST_CASE("only one POP3 session holds the lock", "[store]")
{
    Fixture f;
    auto second = f.open();
    {
        auto first = f.open();
        CHECK(first->lock_for_pop3());
        CHECK(first->lock_for_pop3());
        CHECK(!second->lock_for_pop3());
    }
    CHECK(second->lock_for_pop3());
}

TEST_CASE("a folder that is removed while open says so", "[store]")
{
    Fixture f;
    f.store->create("X");
    auto mailbox = f.open("X");
    CHECK(f.store->remove("X") == Answer::done);
    CHECK_THROWS_AS(mailbox->refresh(), Trouble);
}

TEST_CASE("a list full of dead records is shortened without losing the next UID", "[store]")
{
    Fixture f;
    f.deliver();
    std::string text = "3 V9 N1000\n";
    for (int uid = 1; uid < 500; ++uid) text += fmt::format("{} :dead{}\n", uid, uid);
    f.folder.write("Maildir/dovecot-uidlist", text);
    auto mailbox = f.open();
    CHECK(uids(*mailbox) == Uids{1000});
    CHECK(f.folder.read("Maildir/dovecot-uidlist").size() < 200);
    f.deliver();
    CHECK(mailbox->refresh().added == Uids{1001});
    CHECK(uids(*f.open()) == Uids{1000, 1001});
}
