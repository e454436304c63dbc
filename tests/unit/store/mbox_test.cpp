// mbox: delivery under locks, traps in the way, and a mailbox that other programs change underneath.
#include "catch.h"
#include "unit/store/temporary_folder.h"

#include "store/line_ends.h"
#include "store/mbox_file.h"
#include "store/mbox_journal.h"
#include "store/mbox_writer.h"
#include "store/store.h"
#include "base/checksum.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace store;

namespace {

using Uids = std::vector<uint32_t>;

MboxPolicy quick()
{
    MboxPolicy policy;
    policy.lock.attempts = 1;
    policy.lock.delay = base::Duration(0);
    return policy;
}

void deliver(const std::string& path, std::string_view text, MboxPolicy policy = quick())
{
    MboxWriter writer(path, "a@b.example", policy, 1'700'000'000);
    writer.write(text);
    writer.commit();
}

std::string from() { return from_line("a@b.example", 1'700'000'000); }

std::optional<Trouble::Kind> trouble(const std::string& path, MboxPolicy policy = quick())
{
    try {
        deliver(path, "x\r\n", policy);
    } catch (const Trouble& trouble) {
        return trouble.kind();
    }
    return std::nullopt;
}

struct Fixture {
    TemporaryFolder folder;
    Location location{Format::mbox, folder / "mail", folder / "spool", {}, false};
    std::unique_ptr<Store> store = open_store(location, quick().lock);
    std::unique_ptr<Mailbox> open(std::string_view name = "INBOX", Access access = Access::read_write) { return store->open(name, access); }
    void deliver_one(const std::string& subject, const std::string& body = "body\r\n")
    {
        deliver(folder / "spool", "Subject: " + subject + "\r\n\r\n" + body);
    }
};

Uids uids(const Mailbox& mailbox)
{
    Uids all;
    for (const Message& message : mailbox.messages()) all.push_back(message.uid);
    return all;
}

} // namespace

TEST_CASE("messages are appended with a From line, quoted lines and an empty line", "[store]")
{
    TemporaryFolder folder;
    std::string path = folder / "mbox";
    deliver(path, "Subject: x\r\n\r\nFrom me\r\n>From you\r\nfrom all\r\nFrom\r\n");
    deliver(path, "Subject: y\r\n\r\nno end");
    CHECK(folder.read("mbox") == from() + "Subject: x\n\n>From me\n>From you\nfrom all\nFrom\n\n" + from() + "Subject: y\n\nno end\n\n");
    CHECK(folder.list("") == std::vector<std::string>{"mbox"});
    CHECK(from_line("", 0).substr(0, 20) == "From MAILER-DAEMON  ");
    CHECK(from_line("a\nb", 0).substr(0, 9) == "From a_b ");
    struct stat info{};
    REQUIRE(::stat(path.c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0600);
}

TEST_CASE("From lines are quoted wherever the text is cut", "[store]")
{
    std::string text = "a: b\r\n\r\nFrom x\r\nFro\r\nFrom y\r\nF\r\n\r\nFrom z";
    size_t step = GENERATE(1u, 2u, 3u, 5u, 100u);
    TemporaryFolder folder;
    MboxWriter writer(folder / "mbox", "a@b.example", quick(), 1'700'000'000);
    for (size_t at = 0; at < text.size(); at += step) writer.write(std::string_view(text).substr(at, step));
    writer.commit();
    CHECK(folder.read("mbox") == from() + "a: b\n\n>From x\nFro\n>From y\nF\n\n>From z\n\n");
}

TEST_CASE("a message that fails half way is cut off again", "[store]")
{
    TemporaryFolder folder;
    std::string path = folder / "mbox";
    deliver(path, "x\r\n");
    std::string before = folder.read("mbox");
    {
        MboxWriter writer(path, "", quick());
        for (int i = 0; i < 10; ++i) writer.write(std::string(50'000, 'x'));
        CHECK(folder.read("mbox").size() > 100'000);
    }
    CHECK(folder.read("mbox") == before);
    MboxPolicy small = quick();
    small.size_limit = 100'000;
    MboxWriter writer(path, "", small);
    CHECK_THROWS_AS(writer.write(std::string(200'000, 'y')), Trouble);
    small.size_limit = 10;
    CHECK(folder.list("") == std::vector<std::string>{"mbox", "mbox.lock"});
}

TEST_CASE("a full mailbox takes nothing", "[store]")
{
    TemporaryFolder folder;
    MboxPolicy small = quick();
    small.size_limit = 60;
    deliver(folder / "mbox", "x\r\n", small);
    std::string before = folder.read("mbox");
    CHECK(trouble(folder / "mbox", small) == Trouble::Kind::too_large);
    CHECK(folder.read("mbox") == before);
}

TEST_CASE("locks of others are respected, stale ones taken over", "[store]")
{
    TemporaryFolder folder;
    std::string path = folder / "mbox";
    deliver(path, "x\r\n");
    SECTION("dotlock")
    {
        folder.write("mbox.lock", "1:other.host");
        CHECK(trouble(path) == Trouble::Kind::locked);
        MboxPolicy fcntl_only = quick();
        fcntl_only.lock.methods = {LockMethod::fcntl};
        CHECK(!trouble(path, fcntl_only));
        const timespec old[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
        REQUIRE(::utimensat(AT_FDCWD, (path + ".lock").c_str(), old, 0) == 0);
        CHECK(!trouble(path));
        CHECK(folder.list("") == std::vector<std::string>{"mbox"});
    }
    SECTION("dotlock of a dead process of this host")
    {
        pid_t child = ::fork();
        if (child == 0) ::_exit(0);
        ::waitpid(child, nullptr, 0);
        char host[256];
        REQUIRE(::gethostname(host, sizeof host) == 0);
        folder.write("mbox.lock", fmt::format("{}:{}", child, host));
        CHECK(!trouble(path));
    }
    SECTION("fcntl")
    {
        base::Fd fd = base::open_file(path, O_RDWR);
        struct flock lock{};
        lock.l_type = F_WRLCK;
        REQUIRE(::fcntl(fd.get(), F_OFD_SETLK, &lock) == 0);
        CHECK(trouble(path) == Trouble::Kind::locked);
        CHECK(folder.list("") == std::vector<std::string>{"mbox"});
        fd.reset();
        CHECK(!trouble(path));
    }
    SECTION("flock")
    {
        MboxPolicy policy = quick();
        policy.lock.methods = {LockMethod::flock};
        base::Fd fd = base::open_file(path, O_RDWR);
        REQUIRE(::flock(fd.get(), LOCK_EX) == 0);
        CHECK(trouble(path, policy) == Trouble::Kind::locked);
        CHECK(!trouble(path));
    }
    CHECK(parse_lock_methods("fcntl, dotlock")->size() == 2);
    CHECK(!parse_lock_methods("fcntl, magic"));
}

TEST_CASE("traps in the mail folder are not stepped into", "[store]")
{
    TemporaryFolder folder;
    folder.write("target", "keep");
    if (::geteuid() != 0) {
        REQUIRE(::symlink((folder / "target").c_str(), (folder / "link").c_str()) == 0);
        CHECK(trouble(folder / "link") == Trouble::Kind::unsafe);
        REQUIRE(::symlink((folder / "nothing").c_str(), (folder / "dangling").c_str()) == 0);
        CHECK(trouble(folder / "dangling") == Trouble::Kind::unsafe);
    } else {
        REQUIRE(::symlink((folder / "target").c_str(), (folder / "link").c_str()) == 0);
        REQUIRE(::lchown((folder / "link").c_str(), 12345, 12345) == 0);
        CHECK(trouble(folder / "link") == Trouble::Kind::unsafe);
    }
    REQUIRE(::link((folder / "target").c_str(), (folder / "hard").c_str()) == 0);
    CHECK(trouble(folder / "hard") == Trouble::Kind::unsafe);
    REQUIRE(::mkfifo((folder / "fifo").c_str(), 0600) == 0);
    CHECK(trouble(folder / "fifo") == Trouble::Kind::unsafe);
    CHECK(trouble("/dev/null") == Trouble::Kind::unsafe);
    MboxPolicy special = quick();
    special.special_files = true;
    CHECK(!trouble("/dev/null", special));
    folder.write("foreign", "");
    MboxPolicy strict = quick();
    strict.owner = ::geteuid() + 1;
    CHECK(trouble(folder / "foreign", strict) == Trouble::Kind::not_owner);
    strict.owner = ::geteuid();
    CHECK(!trouble(folder / "foreign", strict));
    CHECK(folder.read("target") == "keep");
    CHECK_THROWS_AS(deliver(folder / "none/mbox", "x\r\n"), base::SystemError);
}

TEST_CASE("an mbox is read as messages", "[store]")
{
    Fixture f;
    f.deliver_one("one", "From here\r\n\r\n");
    f.deliver_one("two", "");
    f.deliver_one("three");
    auto inbox = f.open();
    CHECK(uids(*inbox) == Uids{1, 2, 3});
    CHECK(inbox->uid_next() == 4);
    CHECK(inbox->messages()[0].flags == flag::recent);
    CHECK(inbox->content(1)->crlf() == "Subject: one\r\n\r\n>From here\r\n\r\n");
    CHECK(inbox->content(2)->crlf() == "Subject: two\r\n\r\n");
    CHECK(inbox->content(3)->crlf() == "Subject: three\r\n\r\nbody\r\n");
    for (uint32_t uid : {1, 2, 3}) CHECK(inbox->size(uid) == inbox->content(uid)->crlf().size());
    CHECK(inbox->date(1) == 1'700'000'000);
    CHECK(!inbox->content(4));
    CHECK(!inbox->refresh().any());
    auto second = f.open();
    CHECK(uids(*second) == Uids{1, 2, 3});
    CHECK(second->messages()[0].flags == 0);
    CHECK(second->uid_validity() == inbox->uid_validity());
}

TEST_CASE("flags are Status headers that clients do not see", "[store]")
{
    Fixture f;
    for (const char* subject : {"one", "two", "three"}) f.deliver_one(subject);
    auto first = f.open(), second = f.open();
    uint64_t size = *first->size(2);
    Flags work = *first->keyword("Work", true);
    CHECK(first->set_flags(Uids{2}, FlagChange::add, flag::seen | flag::flagged | work) == Uids{2});
    CHECK(f.folder.read("spool").find("Subject: two\nStatus: RO\nX-Status: F   \nX-Keywords: Work") != std::string::npos);
    CHECK(first->size(2) == size);
    CHECK(first->content(2)->crlf() == "Subject: two\r\n\r\nbody\r\n");
    CHECK(first->content(3)->crlf() == "Subject: three\r\n\r\nbody\r\n");
    CHECK(second->refresh().flags == Uids{2});
    CHECK(second->named(second->messages()[1].flags).keywords == std::vector<std::string>{"Work"});
    size_t length = f.folder.read("spool").size();
    CHECK(second->set_flags(Uids{2}, FlagChange::replace, flag::answered | flag::deleted | flag::draft | *second->keyword("work", false)) == Uids{2});
    CHECK(f.folder.read("spool").size() == length);
    CHECK(first->refresh().flags == Uids{2});
    CHECK(!first->refresh().any());
    CHECK(uids(*f.open()) == Uids{1, 2, 3});
    CHECK(f.folder.list("mail/.imap/INBOX") == std::vector<std::string>{"uids"});
}

TEST_CASE("expunged messages go, the others keep their UIDs and bytes", "[store]")
{
    Fixture f;
    for (const char* subject : {"one", "two", "three", "four"}) f.deliver_one(subject);
    auto first = f.open(), second = f.open();
    CHECK(first->expunge(Uids{2, 4, 9}) == Uids{2, 4});
    CHECK(uids(*first) == Uids{1, 3});
    CHECK(second->content(3)->crlf() == "Subject: three\r\n\r\nbody\r\n");
    CHECK(!second->content(2));
    CHECK(second->refresh().expunged == Uids{2, 4});
    f.deliver_one("five");
    CHECK(first->refresh().added == Uids{5});
    CHECK(second->refresh().added == Uids{5});
    CHECK(first->expunge(Uids{1, 3, 5}) == Uids{1, 3, 5});
    CHECK(f.folder.read("spool").empty());
    f.deliver_one("six");
    CHECK(first->refresh().added == Uids{6});
}

TEST_CASE("what another program does to an mbox is seen", "[store]")
{
    Fixture f;
    for (const char* subject : {"one", "two", "three"}) f.deliver_one(subject);
    auto inbox = f.open();
    // mutt: the second one deleted, the first marked read, the order turned round, counts added.
    f.folder.write("spool", from() + "Subject: three\nStatus: O\nContent-Length: 5\nLines: 1\n\nbody\n\n" + from() +
                                "Subject: one\nStatus: RO\nX-Status: A\nContent-Length: 5\nLines: 1\n\nbody\n\n" + from() + "Subject: new\n\nx\n");
    Changes changes = inbox->refresh();
    CHECK(changes.expunged == Uids{2});
    CHECK(changes.added == Uids{4});
    CHECK(changes.flags == Uids{1});
    CHECK(uids(*inbox) == Uids{1, 3, 4});
    CHECK(inbox->content(1)->crlf() == "Subject: one\r\n\r\nbody\r\n");
    CHECK(inbox->content(4)->crlf() == "Subject: new\r\n\r\nx\r\n");
    REQUIRE(::unlink((f.folder / "spool").c_str()) == 0);
    CHECK(inbox->refresh().expunged == Uids{1, 3, 4});
    f.deliver_one("again");
    CHECK(inbox->refresh().added == Uids{5});
}

TEST_CASE("UIDs of Dovecot's or Pine's headers are taken over once", "[store]")
{
    Fixture f;
    f.folder.write("spool", from() + "Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\nX-IMAP: 1000 0000000020\n\nx\n\n" + from() +
                                "Subject: a\nX-UID: 7\n\na\n\n" + from() + "Subject: b\nX-UID: 9\nStatus: RO\n\nb\n\n");
    auto inbox = f.open();
    CHECK(inbox->uid_validity() == 1000);
    CHECK(uids(*inbox) == Uids{7, 9});
    CHECK(inbox->uid_next() == 21);
    CHECK(inbox->expunge(Uids{7}) == Uids{7});
    CHECK(f.folder.read("spool").find("INTERNAL DATA") != std::string::npos);
    CHECK(uids(*f.open()) == Uids{9});
}

TEST_CASE("files that are no mailbox are refused, hostile ones survived", "[store]")
{
    Fixture f;
    f.folder.write("spool", "hello\n");
    CHECK_THROWS_AS(f.open(), Trouble);
    for (std::string text : {from() + "X-UID: 4294967295\nX-IMAPbase: 4294967295 4294967295\n\n", from() + "Status\n : RO\n\nx", from() + std::string(20'000, 'x'),
                             from() + "\n\n\n" + from(), from() + from() + "\n" + from(), "\n\n" + from() + "a: b\r\n\r\nbody\r\n\r\n" + from() + "\n"}) {
        CAPTURE(text);
        f.folder.write("spool", text);
        auto inbox = f.open();
        CHECK(!inbox->messages().empty());
        for (const Message& message : inbox->messages()) CHECK(inbox->content(message.uid)->crlf().size() == inbox->size(message.uid));
    }
    REQUIRE(::unlink((f.folder / "spool").c_str()) == 0);
    CHECK(f.open()->messages().empty());
    CHECK(f.open()->uid_validity() != 0);
}

TEST_CASE("mbox folders are made, filled, renamed and removed", "[store]")
{
    Fixture f;
    CHECK(f.store->create("Work/Sent") == Answer::done);
    CHECK(f.store->create("Work/Sent") == Answer::exists);
    CHECK(f.store->create("Work/Sent/x") == Answer::forbidden);
    CHECK(f.store->create("../x") == Answer::bad_name);
    CHECK(f.store->create("x.lock") == Answer::bad_name);
    auto message = f.store->append("Work/Sent");
    message->write("Subject: s\r\nStatus: RO\r\nX-UID: 7\r\n\r\nFrom me\r\n");
    NewMessage::Place place = message->commit({flag::flagged, {"Mine"}}, 1'000'000'000);
    CHECK(place.uid == 1);
    auto sent = f.open("Work/Sent");
    CHECK((sent->messages().at(0).flags & flag::system) == flag::flagged);
    CHECK(sent->named(sent->messages()[0].flags).keywords == std::vector<std::string>{"Mine"});
    CHECK(sent->date(1) == 1'000'000'000);
    CHECK(sent->content(1)->crlf() == "Subject: s\r\n\r\n>From me\r\n");
    f.deliver_one("one");
    auto inbox = f.open();
    auto copied = f.store->copy(*inbox, Uids{1, 2}, "Work/Sent");
    REQUIRE(copied);
    CHECK(copied->uids.at(0).to == 2);
    CHECK(sent->refresh().added == Uids{2});
    uint32_t validity = sent->uid_validity();
    CHECK(f.store->rename("Work", "Old") == Answer::done);
    CHECK(f.store->status("Old/Sent")->uid_validity == validity);
    CHECK(f.store->status("Old/Sent")->uid_next == 3);
    std::vector<std::string> names;
    for (const Folder& folder : f.store->list()) names.push_back(folder.name);
    CHECK(names == std::vector<std::string>{"INBOX", "Old", "Old/Sent"});
    CHECK(f.store->remove("Old") == Answer::forbidden);
    CHECK(f.store->remove("Old/Sent") == Answer::done);
    CHECK(f.store->remove("Old/Sent") == Answer::missing);
    CHECK(f.store->create("Old/Sent") == Answer::done);
    CHECK(f.store->status("Old/Sent")->uid_validity > validity);
    CHECK(f.store->rename("INBOX", "Kept") == Answer::done);
    CHECK(f.store->status("Kept")->messages == 1);
    CHECK(f.store->status("INBOX")->messages == 0);
}

TEST_CASE("a rewrite that was interrupted anywhere is finished or undone", "[store]")
{
    TemporaryFolder folder;
    std::string head = "head ", before = head + std::string(300, 'o');
    for (size_t length : {100u, 300u, 500u}) {
        std::string tail(length, 'n'), after = head + tail;
        auto journal = [&] {
            std::string text = fmt::format("mbox-journal {} {} {} {} {}", head.size(), before.size(), after.size(),
                                           base::crc32(std::string_view(before).substr(head.size())), base::crc32(tail));
            text.resize(128, ' ');
            return text + tail;
        };
        auto recovered = [&](const std::string& state, const std::string& log) {
            folder.write("mbox", state);
            folder.write("journal", log);
            base::Fd file = base::open_file(folder / "mbox", O_RDWR);
            MboxJournal(folder / "journal", file, "mbox").recover();
            CHECK(!base::exists(folder / "journal"));
            return folder.read("mbox");
        };
        CAPTURE(length);
        CHECK(recovered(before, journal()) == before);
        CHECK(recovered(before, journal().substr(0, 200)) == before);
        CHECK(recovered(before, std::string(128, ' ') + tail) == before);
        CHECK(recovered(before + "mail", journal()) == before + "mail");
        std::string half = before;
        if (after.size() > half.size()) half.resize(after.size(), '\0');
        if (after.size() > before.size()) CHECK(recovered(half, journal()) == after);
        half.replace(head.size(), 50, tail.substr(0, 50));
        CHECK(recovered(half, journal()) == after);
        CHECK(recovered(half + "mail", journal()) == after + "mail");
        CHECK(recovered(after, journal()) == after);
    }
}
