// Folders: made, listed, renamed, removed, subscribed to; and the names that are refused.
#include "catch.h"
#include "unit/store/temporary_folder.h"

#include "store/maildir_writer.h"
#include "store/names.h"
#include "store/store.h"
#include "store/subscriptions.h"
#include "store/utf7.h"

#include <sys/stat.h>
#include <unistd.h>

using namespace store;

namespace {

std::vector<std::string> listed(Store& store)
{
    std::vector<std::string> lines;
    for (const Folder& folder : store.list())
        lines.push_back(folder.name + (folder.selectable ? "" : " noselect") + (folder.has_children ? " +" : ""));
    return lines;
}

using Lines = std::vector<std::string>;

} // namespace

TEST_CASE("folders are made, listed, renamed and removed", "[store]")
{
    TemporaryFolder folder;
    Location location{Format::maildir, folder / "Maildir", {}, {}, false};
    std::unique_ptr<Store> store = open_store(location);
    CHECK(listed(*store) == Lines{"INBOX"});
    CHECK(store->create("Sent") == Answer::done);
    CHECK(store->create("Sent") == Answer::exists);
    CHECK(store->create("inbox") == Answer::exists);
    CHECK(store->create("A.B.C") == Answer::done);
    CHECK(store->create("Entwürfe") == Answer::done);
    CHECK(folder.list("Maildir/.Entw&APw-rfe").size() == 4);
    CHECK(listed(*store) == Lines{"INBOX", "A noselect +", "A.B noselect +", "A.B.C", "Entwürfe", "Sent"});
    CHECK(store->exists("Sent"));
    CHECK(!store->exists("A.B"));
    CHECK(!store->open("A.B", Access::read_only));
    CHECK(store->create("A") == Answer::done);
    CHECK(store->rename("A", "A.X") == Answer::forbidden);
    CHECK(store->rename("A", "Sent") == Answer::exists);
    CHECK(store->rename("None", "Z") == Answer::missing);
    CHECK(store->rename("A", "Z") == Answer::done);
    CHECK(listed(*store) == Lines{"INBOX", "Entwürfe", "Sent", "Z +", "Z.B noselect +", "Z.B.C"});
    CHECK(store->remove("Z") == Answer::done);
    CHECK(store->remove("Z") == Answer::missing);
    CHECK(store->remove("INBOX") == Answer::forbidden);
    CHECK(listed(*store) == Lines{"INBOX", "Entwürfe", "Sent", "Z noselect +", "Z.B noselect +", "Z.B.C"});
    CHECK(store->rename("Z", "Y") == Answer::done);
    CHECK(listed(*store) == Lines{"INBOX", "Entwürfe", "Sent", "Y noselect +", "Y.B noselect +", "Y.B.C"});
}

TEST_CASE("a folder made again has another UIDVALIDITY", "[store]")
{
    TemporaryFolder folder;
    Location location{Format::maildir, folder / "Maildir", {}, {}, false};
    std::unique_ptr<Store> store = open_store(location);
    store->create("X");
    uint32_t first = store->status("X")->uid_validity;
    store->remove("X");
    store->create("X");
    CHECK(store->status("X")->uid_validity > first);
    CHECK(!store->status("None"));
}

TEST_CASE("renaming INBOX moves its messages and leaves it empty", "[store]")
{
    TemporaryFolder folder;
    Location location{Format::maildir, folder / "Maildir", {}, {}, false};
    std::unique_ptr<Store> store = open_store(location);
    MaildirWriter writer(folder / "Maildir");
    writer.write("x\r\n");
    writer.commit();
    CHECK(store->rename("INBOX", "Old") == Answer::done);
    CHECK(store->status("Old")->messages == 1);
    CHECK(store->status("INBOX")->messages == 0);
    CHECK(store->status("INBOX")->uid_next == 2);
}

TEST_CASE("folders of others in the Maildir are shown when their names can be", "[store]")
{
    TemporaryFolder folder;
    Location location{Format::maildir, folder / "Maildir", {}, {}, false};
    for (const char* name : {".Good", "..DOVECOT-TRASHED", ".a..b", ".bad&", ".J&APw", ".J&APw-", ".line\nbreak", "plain", ".INBOX", ".a\xff"})
        folder.write(std::string("Maildir/") + name + "/cur/x", "");
    folder.write("Maildir/.file", "");
    std::unique_ptr<Store> store = open_store(location);
    CHECK(listed(*store) == Lines{"INBOX", "Good", "Jü"});
    CHECK(store->open("Good", Access::read_write)->messages().size() == 1);
}

TEST_CASE("names that lead elsewhere or forge lines are refused", "[store]")
{
    TemporaryFolder folder;
    Location location{Format::maildir, folder / "Maildir", {}, {}, false};
    std::unique_ptr<Store> store = open_store(location);
    const std::string bad[] = {"", ".", "..", "a..b", ".a", "a.", "../x", "a/b", "/etc", std::string("a\0b", 3), "a\nb", "a\x7f", "a\xc2\x85",
                               "a\xff", "\xed\xa0\x80", std::string(300, 'x'), std::string(100, '\xc3') + "x",
                               "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.z.a.b.c.d.e.f.g"};
    for (const std::string& name : bad) {
        CAPTURE(name);
        CHECK(store->create(name) == Answer::bad_name);
        CHECK(store->remove(name) == Answer::bad_name);
        CHECK(store->rename("INBOX", name) == Answer::bad_name);
        CHECK(store->subscribe(name, true) == Answer::bad_name);
        CHECK(!store->exists(name));
        CHECK(!store->open(name, Access::read_write));
        CHECK(!store->append(name));
    }
    CHECK(listed(*store) == Lines{"INBOX"});
    std::string longest;
    for (int i = 0; i < 40; ++i) longest += "ü";
    CHECK(store->create(longest) == Answer::done);
    for (int i = 0; i < 100; ++i) longest += "ü";
    CHECK(store->create(longest) == Answer::bad_name);
}

TEST_CASE("modified UTF-7 goes both ways", "[store]")
{
    const std::pair<const char*, const char*> cases[] = {
        {"", ""}, {"plain", "plain"}, {"a&b", "a&-b"}, {"~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"}, {"Entwürfe", "Entw&APw-rfe"},
        {"😀", "&2D3eAA-"}, {"é&é", "&AOk-&-&AOk-"}, {"\x7f", "&AH8-"},
    };
    for (const auto& [utf8, utf7] : cases) {
        CAPTURE(utf8);
        CHECK(to_utf7(utf8) == utf7);
        CHECK(from_utf7(utf7) == utf8);
    }
    for (const char* bad : {"&", "&A", "&APw", "&AP!-", "&2D0-", "&3gA-", "&AGE-", "&APx-", "a\xc3\xbc", "&APw-&APw-", "&AA-", "&2D0APw-", "&-&"}) {
        CAPTURE(bad);
        CHECK(!from_utf7(bad));
    }
    CHECK(to_utf7("a\xff") == "a&,,0-");
}

TEST_CASE("subscriptions are read and written in both spellings", "[store]")
{
    Subscriptions old = parse_subscriptions("INBOX\nA.B\nEntw&APw-rfe\nA.B\n../x\n&\n", '.', false);
    CHECK(!old.version_2);
    CHECK(old.names == Lines{"INBOX", "A.B", "Entwürfe"});
    CHECK(format_subscriptions(old, '.', false) == "INBOX\nA.B\nEntw&APw-rfe\n");
    Subscriptions now = parse_subscriptions("V\t2\n\nINBOX\nA\tB\n", '.', false);
    CHECK(now.version_2);
    CHECK(now.names == Lines{"INBOX", "A.B"});
    CHECK(format_subscriptions(now, '.', false) == "V\t2\n\nINBOX\nA\tB\n");

    TemporaryFolder folder;
    Location location{Format::maildir, folder / "Maildir", {}, {}, false};
    std::unique_ptr<Store> store = open_store(location);
    CHECK(store->subscriptions().empty());
    CHECK(store->subscribe("inbox", true) == Answer::done);
    CHECK(store->subscribe("Not.There", true) == Answer::done);
    CHECK(store->subscribe("Not.There", true) == Answer::done);
    CHECK(store->subscriptions() == Lines{"INBOX", "Not.There"});
    CHECK(store->subscribe("INBOX", false) == Answer::done);
    CHECK(store->subscribe("INBOX", false) == Answer::missing);
    CHECK(folder.read("Maildir/subscriptions") == "V\t2\n\nNot\tThere\n");
}

TEST_CASE("mail_location is understood or refused", "[store]")
{
    TemporaryFolder folder;
    User user{"Anna@Example.org", folder.path()};
    struct Case {
        const char* text;
        Format format;
        std::string root, inbox;
    };
    const std::string home = folder.path();
    const Case cases[] = {
        {"maildir:~/Maildir", Format::maildir, home + "/Maildir", ""},
        {"maildir:~/Maildir/", Format::maildir, home + "/Maildir", ""},
        {"maildir:", Format::maildir, home + "/Maildir", ""},
        {"maildir:/v/%d/%n", Format::maildir, "/v/Example.org/Anna", ""},
        {"maildir:/v/%Ld/%1n/%1.2n/%Un", Format::maildir, "/v/example.org/A/nn/ANNA", ""},
        {"maildir:/v/%{domain}/%{user}/100%%", Format::maildir, "/v/Example.org/Anna@Example.org/100%", ""},
        {"maildir:%h/M:LAYOUT=maildir++", Format::maildir, home + "/M", ""},
        {"mbox:~/mail:INBOX=/var/mail/%u", Format::mbox, home + "/mail", "/var/mail/Anna@Example.org"},
        {"mbox:~/mail", Format::mbox, home + "/mail", home + "/mail/inbox"},
        {"", Format::mbox, home + "/mail", "/var/mail/Anna@Example.org"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.text);
        Location location = parse_location(c.text, user);
        CHECK(location.format == c.format);
        CHECK(location.root == c.root);
        CHECK(location.inbox == c.inbox);
    }
    for (const char* bad : {"foo:~/x", "maildir:relative", "maildir:/x:LAYOUT=fs", "maildir:/x:FOO=1", "maildir:/%z", "maildir:/%",
                            "maildir:/%{u", "mbox:", "maildir:/%1.x.yu"}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(parse_location(bad, user), Trouble);
    }
    for (const char* name : {"", "..", "../x", "a/b", ".x", "a\nb"}) CHECK_THROWS_AS(parse_location("maildir:/v/%u", User{name, home}), Trouble);
    ::mkdir((home + "/Maildir").c_str(), 0700);
    CHECK(parse_location("auto", user).root == home + "/Maildir");
}

TEST_CASE("Postfix's parameters give the mailbox", "[store]")
{
    User user{"anna", "/home/anna"};
    struct Case {
        const char *home_mailbox, *spool;
        Format format;
        const char* path;
    };
    const Case cases[] = {
        {"", "/var/mail", Format::mbox, "/var/mail/anna"},
        {"", "/var/mail/", Format::maildir, "/var/mail/anna"},
        {"Maildir/", "/var/mail", Format::maildir, "/home/anna/Maildir"},
        {"Mailbox", "/var/mail", Format::mbox, "/home/anna/Mailbox"},
    };
    for (const Case& c : cases) {
        Destination found = postfix_mailbox(c.home_mailbox, c.spool, user);
        CHECK(found.format == c.format);
        CHECK(found.path == c.path);
    }
}
