// file_tables: hash, btree and texthash, their changes and their texts.
#include "catch.h"
#include "temporary.h"

#include "maps/berkeley.h"
#include "maps/map.h"

using maps::IndexKind;

namespace {

const maps::Options at_once{.recheck = std::chrono::milliseconds(0)};

void build(const std::string& path, IndexKind kind, std::initializer_list<std::pair<const char*, const char*>> entries, maps::Nul nul = maps::Nul::with)
{
    std::filesystem::remove(path);
    maps::IndexWriter writer(path, kind, false, 0644);
    for (auto [key, value] : entries) CHECK(writer.put(key, value, false, nul));
    writer.finish();
}

} // namespace

TEST_CASE("an index is read whatever its kind and its trailing bytes", "[maps]")
{
    Temporary temporary;
    auto kind = GENERATE(IndexKind::hash, IndexKind::btree);
    auto nul = GENERATE(maps::Nul::with, maps::Nul::without);
    build(temporary.path("t.db"), kind, {{"one", "1"}, {"two", "2 and more"}}, nul);
    for (const char* type : {"hash:", "btree:", "proxy:hash:", "lmdb:"}) {
        CAPTURE(type);
        auto table = maps::open(type + temporary.path("t"), at_once);
        CHECK(table->find("one") == "1");
        CHECK(table->find("TWO") == "2 and more");
        CHECK(table->find("three") == std::nullopt);
        CHECK(table->find("") == std::nullopt);
        CHECK(table->fixed_strings());
    }
}

TEST_CASE("a missing, stale or broken index is replaced by its text", "[maps]")
{
    Temporary temporary;
    temporary.write("t", "key  from text\n");
    std::string name = "hash:" + temporary.path("t");
    auto table = maps::open(name, at_once);
    CHECK(table->find("key") == "from text");

    temporary.age("t", 100);
    build(temporary.path("t.db"), IndexKind::hash, {{"key", "from index"}});
    CHECK(table->find("key") == "from index");

    temporary.age("t.db", 1000);
    CHECK(table->find("key") == "from text");

    temporary.write("t.db", "this is no database");
    CHECK(table->find("key") == "from text");
    std::filesystem::remove(temporary.path("t"));
    CHECK_THROWS_AS(table->find("key"), maps::Unavailable);
    std::filesystem::remove(temporary.path("t.db"));
    CHECK_THROWS_AS(table->find("key"), maps::Unavailable);

    temporary.write("t", "key again\n");
    CHECK(table->find("key") == "again");
}

TEST_CASE("an alias database is read from its own grammar", "[maps]")
{
    Temporary temporary;
    temporary.write("aliases", "Postmaster: root, \"|/bin/x y\"\n");
    maps::Options options = at_once;
    options.syntax = maps::Syntax::aliases;
    CHECK(maps::open("hash:" + temporary.path("aliases"), options)->find("postmaster") == "root, \"|/bin/x y\"");
}

TEST_CASE("texthash notices changes", "[maps]")
{
    Temporary temporary;
    temporary.write("t", "a 1\nA 2\n");
    auto table = maps::open("texthash:" + temporary.path("t"), at_once);
    CHECK(table->find("A") == "1");
    temporary.write("t", "a 3\n");
    CHECK(table->find("a") == "3");
    std::filesystem::remove(temporary.path("t"));
    CHECK_THROWS_AS(table->find("a"), maps::Unavailable);
}

TEST_CASE("keys keep their case when asked to", "[maps]")
{
    Temporary temporary;
    temporary.write("t", "A 1\n");
    maps::Options options = at_once;
    options.fold_case = false;
    auto table = maps::open("texthash:" + temporary.path("t"), options);
    CHECK(table->find("A") == "1");
    CHECK(table->find("a") == std::nullopt);
}

TEST_CASE("the writer keeps first entries unless told to replace", "[maps]")
{
    Temporary temporary;
    maps::IndexWriter writer(temporary.path("w.db"), IndexKind::btree, false, 0600);
    CHECK(writer.put("a", "1"));
    CHECK_FALSE(writer.put("a", "2"));
    CHECK_FALSE(writer.put("b", "2") == false);
    CHECK_FALSE(writer.put("b", "3", true));
    CHECK(writer.put("c", "4"));
    CHECK(writer.erase("c"));
    CHECK_FALSE(writer.erase("c"));
    writer.finish();
    maps::IndexReader reader(temporary.path("w.db"));
    std::string all;
    reader.for_each([&](std::string_view key, std::string_view value) { all += std::string(key) + "=" + std::string(value) + ";"; });
    CHECK(all == "a=1;b=3;");
    CHECK_THROWS_AS(maps::IndexWriter(temporary.path("w.db"), IndexKind::hash, false, 0600), maps::Unavailable);
    CHECK_THROWS_AS(maps::IndexReader(temporary.path("none.db")), maps::Unavailable);
}
