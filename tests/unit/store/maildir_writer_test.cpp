// Delivery into a Maildir: what lies there afterwards, and what does not.
#include "catch.h"
#include "unit/store/temporary_folder.h"

#include "store/line_ends.h"
#include "store/maildir_name.h"
#include "store/maildir_writer.h"

#include <sys/stat.h>
#include <unistd.h>

#include <set>

using namespace store;

TEST_CASE("a delivered message is one file in new with LF ends and both sizes in its name", "[store]")
{
    TemporaryFolder folder;
    std::string maildir = folder / "deep/Maildir";
    MaildirWriter writer(maildir);
    for (std::string_view chunk : {"Subject: x\r", "\n\r\nbody\r\nlone \r here\r\n", "last\r"}) writer.write(chunk);
    std::string name = writer.commit();
    REQUIRE(folder.list("deep/Maildir/new") == std::vector<std::string>{name});
    CHECK(folder.read("deep/Maildir/new/" + name) == "Subject: x\n\nbody\nlone \r here\nlast\r");
    CHECK(folder.list("deep/Maildir/tmp").empty());
    CHECK(folder.list("deep/Maildir/cur").empty());
    MaildirName parsed = parse_maildir_name(name);
    CHECK(parsed.size == 34u);
    CHECK(parsed.crlf_size == 38u);
    struct stat info{};
    REQUIRE(::stat((maildir + "/new/" + name).c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0600);
}

TEST_CASE("a message that is not committed leaves nothing behind", "[store]")
{
    TemporaryFolder folder;
    {
        MaildirWriter writer(folder / "Maildir");
        writer.write(std::string(200'000, 'x'));
        CHECK(folder.list("Maildir/tmp").size() == 1);
    }
    CHECK(folder.list("Maildir/tmp").empty());
    CHECK(folder.list("Maildir/new").empty());
}

TEST_CASE("a large message survives any cutting", "[store]")
{
    TemporaryFolder folder;
    std::string message, expected;
    for (int line = 0; line < 40'000; ++line) {
        std::string text(static_cast<size_t>(line % 90), 'a');
        message += text + "\r\n";
        expected += text + "\n";
    }
    size_t step = GENERATE(1u, 7u, 65536u, 10'000'000u);
    MaildirWriter writer(folder / "Maildir");
    for (size_t at = 0; at < message.size(); at += step) writer.write(std::string_view(message).substr(at, step));
    std::string name = writer.commit();
    CHECK(folder.read("Maildir/new/" + name) == expected);
    CHECK(parse_maildir_name(name).crlf_size == message.size());
}

TEST_CASE("a tmp folder that vanished is made again, a file in the way is an error", "[store]")
{
    TemporaryFolder folder;
    make_maildir(folder / "Maildir");
    REQUIRE(::rmdir((folder / "Maildir/tmp").c_str()) == 0);
    MaildirWriter writer(folder / "Maildir");
    writer.write("x\r\n");
    REQUIRE(::rmdir((folder / "Maildir/new").c_str()) == 0);
    writer.commit();
    CHECK(folder.list("Maildir/new").size() == 1);
    folder.write("file", "");
    CHECK_THROWS_AS(MaildirWriter(folder / "file"), base::SystemError);
}

TEST_CASE("names are never given twice", "[store]")
{
    std::set<std::string> names;
    for (int i = 0; i < 10'000; ++i) names.insert(unique_maildir_name());
    CHECK(names.size() == 10'000);
}

TEST_CASE("names of message files are read and written", "[store]")
{
    struct Case {
        const char* name;
        Flags flags;
        const char* written;
    };
    const Case cases[] = {
        {"1.a.h", 0, ":2,"},
        {"1.a.h:2,", 0, ":2,"},
        {"1.a.h:2,FS", flag::flagged | flag::seen, ":2,FS"},
        {"1.a.h:2,SF", flag::flagged | flag::seen, ":2,FS"},
        {"1.a.h:2,DFRSTab", flag::system | flag::keyword(0) | flag::keyword(1), ":2,DFRSTab"},
        {"1.a.h:2,PSz", flag::seen | flag::keyword(25), ":2,PSz"},
        {"1.a.h:2,S,other=1", flag::seen, ":2,S,other=1"},
        {"1.a.h:1,S", 0, ":2,"},
        {":2,S", flag::seen, ":2,S"},
        {"", 0, ":2,"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.name);
        MaildirName parsed = parse_maildir_name(c.name);
        CHECK(parsed.flags == c.flags);
        CHECK(maildir_info(parsed.flags, parsed.foreign) == c.written);
    }
    CHECK(parse_maildir_name("1.h,S=12,W=14:2,S").size == 12u);
    CHECK(parse_maildir_name("1.h,S=12,W=14:2,S").crlf_size == 14u);
    CHECK(!parse_maildir_name("1.h,S=99999999999999999999999").size);
    CHECK(!parse_maildir_name("1.h,S=-1,W=x").crlf_size);
    CHECK(parse_maildir_name("1.h,S=12,W=14:2,S").base == "1.h,S=12,W=14");
}

TEST_CASE("line ends go both ways", "[store]")
{
    struct Case {
        std::string_view text, crlf;
    };
    const Case cases[] = {{"", ""}, {"\n", "\r\n"}, {"a\nb", "a\r\nb"}, {"a\r\nb\n", "a\r\nb\r\n"}, {"\r", "\r"}, {"\n\n", "\r\n\r\n"}};
    for (const Case& c : cases) {
        CAPTURE(c.text);
        CHECK(to_crlf(c.text) == c.crlf);
        CHECK(crlf_size(c.text) == c.crlf.size());
    }
}
