// Tables behind servers: socketmap and memcache with scripted ones, sqlite with a file.
#include "catch.h"
#include "scripted_server.h"
#include "temporary.h"

#include "maps/map.h"
#include "maps/modules.h"
#include "maps/prepare.h"

#include <algorithm>
#include <atomic>

namespace {

std::string failure(maps::Map& table, const std::string& key)
{
    try {
        table.find(key);
    } catch (const maps::Unavailable& why) {
        return why.what();
    }
    return "none";
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

} // namespace

TEST_CASE("socketmap", "[maps]")
{
    Temporary folder;
    std::string path = folder.path("socket"), heard;
    auto table = maps::open("proxy:socketmap:unix:" + path + ":virtual");
    CHECK(contains(failure(*table, "a"), "connect to " + path + ": No such file or directory"));
    // A server that is not there is tried again after a second: a table that was opened anew stands for one that waited.
    table = maps::open("socketmap:unix:" + path + ":virtual");
    ScriptedServer server(path, [&](std::string request) -> std::string {
        heard = request;
        if (contains(request, "virtual a@b,")) return "10:OK c@d,e@f,";
        if (contains(request, "none")) return "9:NOTFOUND ,";
        if (contains(request, "temp")) return "9:TEMP busy,";
        if (contains(request, "perm")) return "7:PERM no,";
        if (contains(request, "odd")) return "3:ODD,";
        if (contains(request, "huge")) return "999999999:OK";
        if (contains(request, "text")) return "hello\n";
        return "";
    });
    CHECK(table->find("A@B") == "c@d,e@f");
    CHECK(heard == "11:virtual a@b,");
    CHECK(table->find("none") == std::nullopt);
    CHECK(contains(failure(*table, "temp"), "TEMP busy"));
    CHECK(contains(failure(*table, "perm"), "PERM no"));
    CHECK(table->find("a@b") == "c@d,e@f");
    CHECK(server.connections() == 1);
    SECTION("malformed")
    {
        CHECK(contains(failure(*table, "odd"), "malformed reply"));
    }
    SECTION("too large")
    {
        CHECK(contains(failure(*table, "huge"), "longer than 100000 bytes"));
    }
    SECTION("no netstring")
    {
        CHECK(contains(failure(*table, "text"), "no netstring"));
    }
    SECTION("closed")
    {
        CHECK(contains(failure(*table, "close"), "closed the connection"));
        CHECK(server.connections() == 2);       // once more, as the first connection may have been an old one
    }
    for (const char* name : {"socketmap:", "socketmap:unix:/path", "socketmap:inet:host:25", "socketmap:file:/x:y", "tcp:host", "tcp:", "tcp:host:"}) {
        CAPTURE(name);
        CHECK_THROWS_AS(maps::open(name), maps::Unavailable);
    }
}

TEST_CASE("sqlite", "[maps]")
{
    maps::add_module_folder(BUILD_DIR "/bin");
    auto known = maps::types();
    if (std::find(known.begin(), known.end(), "sqlite") == known.end()) return;
    Temporary folder;
    std::string base = folder.path("users.db");
    std::string make = "sqlite3 " + base + " \"CREATE TABLE users (name TEXT, box TEXT); INSERT INTO users VALUES ('kit@example.org', 'kit/'), "
                       "('o''hara@example.org', 'ohara/'), ('two@example.org', 'a@b'), ('two@example.org', 'c@d'), ('none@example.org', NULL)\"";
    if (std::system(make.c_str()) != 0) return;
    auto open = [&](const std::string& more) {
        return maps::open("sqlite:" + folder.write("table.cf", "dbpath = " + base + "\nquery = SELECT box FROM users WHERE name = '%s'\n" + more));
    };
    auto table = open("");
    CHECK(table->find("Kit@example.org") == "kit/");
    CHECK(table->find("o'hara@example.org") == "ohara/");
    CHECK(table->find("x' OR 'a'='a") == std::nullopt);
    CHECK(table->find("two@example.org") == "a@b,c@d");
    CHECK(table->find("none@example.org") == std::nullopt);
    CHECK(table->find("\xff@example.org") == std::nullopt);
    CHECK(open("result_format = <%u> %S\n")->find("two@example.org") == "<a> two@example.org,<c> two@example.org");
    CHECK(open("domain = elsewhere.org, inline:{{x.org = y}}\n")->find("kit@example.org") == std::nullopt);
    CHECK(open("domain = inline:{{example.org = y}}\n")->find("kit@example.org") == "kit/");
    CHECK(contains(failure(*open("expansion_limit = 1\n"), "two@example.org"), "expansion limit exceeded"));
    CHECK(contains(failure(*maps::open("sqlite:" + folder.write("bad.cf", "dbpath = " + base + "\nquery = SELECT box FROM nowhere\n")), "x"), "no such table: nowhere"));
    CHECK(contains(failure(*maps::open("sqlite:" + folder.write("gone.cf", "dbpath = /nowhere/x.db\nquery = SELECT 1\n")), "x"), "/nowhere/x.db: open: unable"));
    CHECK_THROWS_AS(maps::open("sqlite:" + folder.write("none.cf", "query = SELECT 1\n")), maps::Unavailable);
    CHECK_THROWS_AS(maps::open("sqlite:" + folder.write("odd.cf", "dbpath = x\nquery = %x\n")), maps::Unavailable);
    CHECK_THROWS_AS(maps::open("sqlite:relative.cf"), maps::Unavailable);

    maps::TableNeeds needs;
    maps::prepare("hash:/x, proxy:sqlite:" + folder.path("table.cf") + " socketmap:unix:/run/x:y", needs);
    CHECK(needs.read == std::vector<std::string>{folder.folder});
    CHECK(!needs.internet);
    maps::prepare("tcp:localhost:1", needs);
    CHECK(needs.internet);
}

TEST_CASE("memcache in front of another table", "[maps]")
{
    Temporary folder;
    std::string path = folder.path("socket");
    std::vector<std::string> heard;
    ScriptedServer server(path, [&](std::string request) -> std::string {
        heard.push_back(request);
        if (request == "get p:kept\r\n") return "VALUE p:kept 0 4\r\nhere\r\nEND\r\n";
        if (request == "get p:odd\r\n") return "VALUE p:odd 0 99999999\r\n";
        return request.starts_with("set") ? "STORED\r\n" : "END\r\n";
    });
    std::string settings = "memcache = unix:" + path + "\nkey_format = p:%s\nttl = 60\n";
    auto alone = maps::open("memcache:" + folder.write("alone.cf", settings));
    CHECK(alone->find("Kept") == "here");
    CHECK(alone->find("other") == std::nullopt);
    CHECK(alone->find("with space") == std::nullopt);
    CHECK(heard.size() == 2);
    CHECK(contains(failure(*alone, "odd"), "longer than data_size_limit"));
    auto before = maps::open("memcache:" + folder.write("front.cf", settings + "backup = inline:{{slow=value}}\n"));
    CHECK(before->find("slow") == "value");
    CHECK(heard.back() == "set p:slow 0 60 5\r\nvalue\r\n");
    CHECK(before->find("odd") == std::nullopt);
}
