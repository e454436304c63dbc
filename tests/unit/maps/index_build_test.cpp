// index_build: what postmap and postalias do to files.
#include "catch.h"
#include "temporary.h"

#include "maps/index_build.h"

#include "base/text.h"

#include <map>

namespace {

std::map<std::string, std::string> content(const std::string& path)
{
    std::map<std::string, std::string> all;
    maps::IndexReader(path + ".db").for_each([&](std::string_view key, std::string_view value) { all.emplace(key, value); });
    return all;
}

using Content = std::map<std::string, std::string>;

} // namespace

TEST_CASE("an index is built from its source and follows its mode", "[maps]")
{
    Temporary temporary;
    std::string path = temporary.write("t", "Key one\nkey two\nbad\nother  x y\n\xff no\n");
    ::chmod(path.c_str(), 0640);
    maps::build_index(path, {});
    CHECK(content(path) == Content{{"key", "one"}, {"other", "x y"}});
    struct stat info {};
    REQUIRE(::stat((path + ".db").c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0640);

    maps::BuildOptions options;
    options.kind = maps::IndexKind::btree;
    options.replace_duplicates = true;
    options.keep_mode = false;
    options.only_utf8 = false;
    maps::build_index(path, options);
    CHECK(content(path).at("key") == "two");
    CHECK(content(path).count("\xff") == 1);
    REQUIRE(::stat((path + ".db").c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0644);
    CHECK(std::distance(std::filesystem::directory_iterator(temporary.folder), {}) == 2);
}

TEST_CASE("keys are added and erased", "[maps]")
{
    Temporary temporary;
    std::string path = temporary.path("t");
    maps::add_to_index(path, "a 1\nB 2\n", "stdin", {});
    maps::add_to_index(path, "a 3\nc 4\n", "stdin", {});
    CHECK(content(path) == Content{{"a", "1"}, {"b", "2"}, {"c", "4"}});
    maps::BuildOptions replace;
    replace.replace_duplicates = true;
    maps::add_to_index(path, "a 3\n", "stdin", replace);
    CHECK(maps::erase_from_index(path, {"B", "none"}, {}) == 1);
    CHECK(maps::erase_from_index(path, {"B"}, {}) == 0);
    CHECK(content(path) == Content{{"a", "3"}, {"c", "4"}});
    CHECK_THROWS_AS(maps::erase_from_index(temporary.path("none"), {"a"}, {}), maps::Unavailable);
    CHECK_THROWS_AS(maps::build_index(temporary.path("none"), {}), base::SystemError);
}

TEST_CASE("an alias database has the entries that Sendmail looks for", "[maps]")
{
    Temporary temporary;
    std::string path = temporary.write("aliases", "Root: joe, \"|cmd x\"\n");
    maps::BuildOptions options;
    options.syntax = maps::Syntax::aliases;
    options.host = "h.example";
    maps::build_index(path, options);
    Content all = content(path);
    CHECK(all.at("root") == "joe, \"|cmd x\"");
    CHECK(all.at("@") == "@");
    CHECK(all.at("YP_MASTER_NAME") == "h.example");
    CHECK(base::number<long>(all.at("YP_LAST_MODIFIED")).has_value());
    CHECK(all.size() == 4);
}

TEST_CASE("values may be files", "[maps]")
{
    Temporary temporary;
    std::string one = temporary.write("one", "first"), two = temporary.write("two", "second\n");
    std::string path = temporary.write("t", "name " + one + ", " + two + "\nlost /no/such/file\n");
    maps::BuildOptions options;
    options.values_are_files = true;
    maps::build_index(path, options);
    CHECK(content(path) == Content{{"name", base::to_base64("first\nsecond\n\n")}});
}

TEST_CASE("a broken index is not edited", "[maps]")
{
    Temporary temporary;
    temporary.write("t.db", std::string(5000, 'x'));
    CHECK_THROWS_AS(maps::add_to_index(temporary.path("t"), "a b\n", "stdin", {}), maps::Unavailable);
    CHECK(base::read_file(temporary.path("t.db")) == std::string(5000, 'x'));
    CHECK_FALSE(base::exists(temporary.path("t.db.tmp" + std::to_string(::getpid()))));
}
