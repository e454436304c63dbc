// dovecot-uidlist: what Dovecot wrote is understood, what nobody should have written is survived.
#include "catch.h"
#include "unit/store/temporary_folder.h"

#include "store/uidlist.h"
#include "store/uidlist_file.h"

using namespace store;

TEST_CASE("Dovecot's lists are read and written the same", "[store]")
{
    const std::string text = "3 V1275660208 N25022 G3085f01b7f11094c501100008c4a11c1\n"
                             "25006 :1276528487.M364837P9451.kurkku,S=1355,W=1394\n"
                             "25017 W2481 Pabc.def :1276533073.M242911P3632.kurkku\n";
    UidList list = parse_uidlist(text);
    CHECK(!list.damaged);
    CHECK(list.uid_validity == 1275660208);
    CHECK(list.next_uid == 25022);
    REQUIRE(list.records.size() == 2);
    CHECK(list.records[0].base == "1276528487.M364837P9451.kurkku,S=1355,W=1394");
    CHECK(extra_field(list.records[1].extra, 'P') == "abc.def");
    CHECK(extra_field(list.records[1].extra, 'W') == "2481");
    CHECK(!extra_field(list.records[1].extra, 'S'));
    CHECK(format_uidlist(list) == text);
}

TEST_CASE("lists in any state give ascending UIDs and never a number twice", "[store]")
{
    struct Case {
        const char* text;
        uint32_t validity, next;
        size_t records;
        bool damaged;
    };
    const Case cases[] = {
        {"", 0, 1, 0, true},
        {"3 V5 N1\n", 5, 1, 0, false},
        {"3 V5 N1", 0, 1, 0, true},
        {"3 V5 N2\n1 :a\n7 :b:2,S\n", 5, 8, 2, false},
        {"1 5 9\n1 a\n7 b\n", 5, 9, 2, true},
        {"3 V5 N2\n7 :b\n6 :a\n", 5, 8, 1, true},
        {"3 V5 N2\n7 :b\n8 :c", 5, 8, 1, true},
        {"3 V5 N2\n0 :b\n-1 :c\n99999999999 :d\nx\n\n1\n1 \n1 :\n", 5, 2, 0, true},
        {"3 V5 N2\n1 :../../etc/passwd\n2 :.hidden\n", 5, 2, 0, true},
        {"3 V0 N2\n1 :a\n", 0, 1, 0, true},
        {"3 Vx N2\n1 :a\n", 0, 1, 0, true},
        {"2 V1 N2\n1 :a\n", 0, 1, 0, true},
        {"3 V5 N0\n", 5, 1, 0, false},
        {"3 V5 N4294967295\n4294967295 :a\n", 5, 4294967295, 1, false},
        {"\n\n\n", 0, 1, 0, true},
    };
    for (const Case& c : cases) {
        CAPTURE(c.text);
        UidList list = parse_uidlist(c.text);
        CHECK(list.uid_validity == c.validity);
        CHECK(list.next_uid == c.next);
        CHECK(list.records.size() == c.records);
        CHECK(list.damaged == c.damaged);
    }
}

TEST_CASE("a list file grows by appending and is read piece by piece", "[store]")
{
    TemporaryFolder folder;
    UidListFile first(folder.path(), folder.path()), second(folder.path(), folder.path());
    CHECK(first.read().replaced);
    {
        FolderLock lock = first.lock();
        CHECK(first.assign(lock, {"a", "b"}) == std::vector<uint32_t>{1, 2});
    }
    UidListFile::News news = second.read();
    CHECK(news.replaced);
    CHECK(news.records.size() == 2);
    CHECK(second.uid_validity() == first.uid_validity());
    {
        FolderLock lock = first.lock();
        CHECK(first.assign(lock, {"c"}) == std::vector<uint32_t>{3});
    }
    news = second.read();
    CHECK(!news.replaced);
    REQUIRE(news.records.size() == 1);
    CHECK(news.records[0].base == "c");
    CHECK(second.next_uid() == 4);
    {
        FolderLock lock = second.lock();
        second.compress(lock, [](const UidRecord& record) { return record.base == "a"; });
    }
    news = first.read();
    CHECK(news.replaced);
    CHECK(news.records.size() == 1);
    CHECK(first.next_uid() == 4);
    CHECK(folder.list("").size() == 3);     // the list and the two of uidvalidity: no lock file stays
}

TEST_CASE("the ends of a long list are enough to append", "[store]")
{
    TemporaryFolder folder;
    std::string text = "3 V77 N5 Gabc\n";
    for (int uid = 1; uid <= 5000; ++uid) text += fmt::format("{} :1700000000.M{}P1.host\n", uid, uid);
    folder.write("dovecot-uidlist", text);
    UidListFile list(folder.path(), folder.path());
    FolderLock lock = list.lock();
    list.read_ends();
    CHECK(list.uid_validity() == 77);
    CHECK(list.next_uid() == 5001);
    CHECK(list.assign(lock, {"new"}) == std::vector<uint32_t>{5001});
    CHECK(folder.read("dovecot-uidlist") == text + "5001 :new\n");
}

TEST_CASE("a torn last line is not continued by the next record", "[store]")
{
    TemporaryFolder folder;
    folder.write("dovecot-uidlist", "3 V77 N5 Gabc\n5 :a\n6 :b");
    UidListFile list(folder.path(), folder.path());
    FolderLock lock = list.lock();
    list.read();
    CHECK(list.assign(lock, {"c"}) == std::vector<uint32_t>{6});
    CHECK(folder.read("dovecot-uidlist") == "3 V77 N7 Gabc\n5 :a\n6 :c\n");
}

TEST_CASE("used-up numbers begin anew under another UIDVALIDITY", "[store]")
{
    TemporaryFolder folder;
    folder.write("dovecot-uidlist", "3 V77 N4294967295\n4294967295 :a\n");
    UidListFile list(folder.path(), folder.path());
    FolderLock lock = list.lock();
    list.read();
    CHECK(list.assign(lock, {"c"}) == std::vector<uint32_t>{1});
    CHECK(list.uid_validity() > 77);
}

TEST_CASE("no two folders get one UIDVALIDITY", "[store]")
{
    TemporaryFolder folder;
    uint32_t last = 0;
    for (int i = 0; i < 20; ++i) {
        uint32_t next = new_uid_validity(folder.path());
        CHECK(next > last);
        last = next;
    }
    CHECK(folder.list("") == std::vector<std::string>{"dovecot-uidvalidity", fmt::format("dovecot-uidvalidity.{:08x}", last)});
}
