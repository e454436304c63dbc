// Address verification: what probes find out, how long it holds, and that they leave no mail behind.
#include "verify/probes.h"

#include "../async/run_task.h"
#include "../spool/scratch.h"
#include "base/log.h"
#include "catch.h"

#include <filesystem>

using namespace qmgr;
using spool::Verified;

namespace {

struct House {
    explicit House(const std::string& settings)
        : config(parse(settings))
    {
        base::log::open("postfix/qmgr", scratch / "log");
        open();
    }
    ~House()
    {
        run_until([&] { return !probes->writing(); });
        run_rounds();
        nursery.cancel();
        base::log::flush();
        base::log::to_stderr("test");
    }
    config::Config parse(const std::string& settings) const
    {
        return config::Config::parse("myhostname = mail.example.org\nmyorigin = example.org\nmydestination =\nqueue_directory = " + scratch.path() +
                                     "\naddress_verify_map = btree:" + scratch.path() + "/verified\n" + settings, "main.cf");
    }
    void open()
    {
        if (probes) run_until([&] { return !probes->writing(); });
        probes.reset();
        manager = std::make_unique<Manager>(config, nursery);
        probes = std::make_unique<Probes>(*manager);
    }
    void change(const std::string& settings)
    {
        config = parse(settings);
        open();
    }
    std::string ask(const std::string& address, int64_t wait = 5000)
    {
        Verified answer = run_task(probes->ask(address, async::Limit(wait)));
        constexpr const char* words[] = {"deliverable", "deferred", "undeliverable", "in progress"};
        return std::string(words[answer.verdict]) + ": " + answer.text;
    }
    size_t logged(const std::string& what) const
    {
        base::log::flush();
        std::string log = base::read_file(scratch / "log");
        size_t count = 0;
        for (size_t at = log.find(what); at != std::string::npos; at = log.find(what, at + 1)) ++count;
        return count;
    }

    Scratch scratch;
    config::Config config;
    async::Nursery nursery{"qmgr"};
    std::unique_ptr<Manager> manager;
    std::unique_ptr<Probes> probes;
};

VerifyEntry entry(Verified::Verdict verdict, int64_t updated)
{
    VerifyEntry one;
    one.verdict = verdict;
    one.updated = updated;
    return one;
}

} // namespace

TEST_CASE("an entry of the cache has Postfix's form", "[qmgr]")
{
    auto read = read_verify_entry("2:1700000001:1700000002:host a[1.2.3.4]:25 said: 550 no");
    REQUIRE(read);
    CHECK(read->verdict == Verified::undeliverable);
    CHECK(read->probed == 1700000001);
    CHECK(read->updated == 1700000002);
    CHECK(read->text == "host a[1.2.3.4]:25 said: 550 no");
    CHECK(write_verify_entry(*read) == "2:1700000001:1700000002:host a[1.2.3.4]:25 said: 550 no");
    CHECK(read_verify_entry("0:1:2:")->text.empty());
    for (const char* bad : {"", "0", "0:1:2", "4:1:2:x", "-1:1:2:x", "0::2:x", "0:1::x", "x:1:2:y", "0:1:99999999999999999999:x"}) {
        CAPTURE(bad);
        CHECK_FALSE(read_verify_entry(bad));
    }
    CHECK(read_verify_entry("0:1:2:" + std::string(5000, 'x'))->text.size() <= 500);
}

TEST_CASE("good news lasts longer than bad news", "[qmgr]")
{
    auto config = config::Config::parse("address_verify_positive_expire_time = 100s\naddress_verify_positive_refresh_time = 50s\n"
                                        "address_verify_negative_expire_time = 10s\naddress_verify_negative_refresh_time = 5s\n", "main.cf");
    VerifyTimes times(config);
    struct Case {
        Verified::Verdict verdict;
        int64_t age;
        bool due, expired;
    };
    for (const auto& c : {Case{Verified::deliverable, 50, false, false}, Case{Verified::deliverable, 51, true, false},
                          Case{Verified::deliverable, 101, true, true}, Case{Verified::undeliverable, 5, false, false},
                          Case{Verified::undeliverable, 6, true, false}, Case{Verified::deferred, 11, true, true}}) {
        CAPTURE(c.verdict, c.age);
        CHECK(times.due_again(entry(c.verdict, 1000), 1000 + c.age) == c.due);
        CHECK(times.expired(entry(c.verdict, 1000), 1000 + c.age) == c.expired);
    }
}

TEST_CASE("which files can be the cache", "[qmgr]")
{
    struct Case {
        std::string map, path, folder;
    };
    for (const auto& c : {Case{"btree:/var/lib/x/verify", "/var/lib/x/verify.db", "/var/lib/x"}, Case{"hash:/a/b", "/a/b.db", "/a"},
                          Case{"proxy:btree:/a/b", "/a/b.db", "/a"}, Case{"lmdb:/a/b", "", ""}, Case{"btree:b", "", ""}, Case{"", "", ""}}) {
        CAPTURE(c.map);
        auto config = config::Config::parse("address_verify_map = " + c.map + "\n", "main.cf");
        auto file = verify_file(config);
        CHECK((file ? file->path : "") == c.path);
        CHECK(verify_cache_folder(config) == c.folder);
    }
}

TEST_CASE("a probe is routed as mail is, and is no mail", "[qmgr]")
{
    struct Case {
        std::string settings, address, answer, status;
    };
    for (const auto& c : {
             Case{"default_transport = error:5.1.1 gone\n", "ann@far.example", "undeliverable: gone", "dsn=5.1.1, status=undeliverable (gone)"},
             Case{"default_transport = retry:4.4.1 down\n", "ann@far.example", "deferred: down", "dsn=4.4.1, status=undeliverable (down)"},
             Case{"default_transport = discard:fine\n", "ann@far.example", "deliverable: fine", "dsn=2.0.0, status=deliverable (fine)"},
             Case{"default_transport = error:5.1.1 gone\naddress_verify_default_transport = discard:fine\n", "ann@far.example", "deliverable: fine",
                  "from=<double-bounce@example.org>, size=0, nrcpt=1 (queue active)"},
             Case{"default_transport = discard:fine\naddress_verify_sender = <>\n", "ann@far.example", "deliverable: fine", "from=<>, size=0"},
             Case{"default_transport = discard:x\naddress_verify_transport_maps = inline:{{far.example=error:5.1.1 not there}}\n", "ann@far.example",
                  "undeliverable: not there", "to=<ann@far.example>, relay=none"},
             Case{"default_transport = error:5.1.1 gone\nvirtual_alias_maps = inline:{{all@far.example=a@b.example, c@d.example}}\n",
                  "all@far.example", "deliverable: aliased to multiple recipients", ""},
             Case{"default_transport = discard:fine\nvirtual_alias_maps = inline:{all@far.example=a@b.example}\n", "all@far.example",
                  "deliverable: fine", "to=<a@b.example>, orig_to=<all@far.example>"},
             Case{"virtual_alias_maps = hash:/nowhere/at/all\n", "x@far.example", "deferred: ", ""},
         }) {
        CAPTURE(c.settings, c.address);
        House house(c.settings);
        std::string answer = house.ask(c.address);
        CHECK(answer.starts_with(c.answer));
        if (!c.status.empty()) CHECK(house.logged(c.status) == 1);
        CHECK(house.manager->active_count() == 0);
        CHECK(house.logged("notification") == 0);
        for (const char* folder : {"incoming", "active", "deferred"}) CHECK(std::filesystem::is_empty(house.scratch / folder));
    }
}

TEST_CASE("the sender of probes can be probed, and written to", "[qmgr]")
{
    House house("mydestination = example.org\n");
    CHECK(house.ask("double-bounce@example.org") == "deliverable: undeliverable postmaster notification discarded");
}

TEST_CASE("what was found out is kept, over a restart too", "[qmgr]")
{
    House house("default_transport = error:5.1.1 gone\n");
    CHECK(house.ask("ann@far.example", 0) == "in progress: Address verification in progress");
    CHECK(run_until([&] { return house.ask("ann@far.example", 0) == "undeliverable: gone"; }));
    CHECK(house.logged("(queue active)") == 1);
    house.open();
    CHECK(house.ask("ann@far.example", 0) == "undeliverable: gone");
    CHECK(house.logged("(queue active)") == 1);
    maps::IndexReader index(house.scratch / "verified.db");
    auto stored = index.find("ann@far.example");
    REQUIRE(stored);
    CHECK(stored->starts_with("2:"));
    CHECK(stored->ends_with(":gone"));
}

TEST_CASE("a failure takes nothing from an address that was good", "[qmgr]")
{
    House house("default_transport = discard:fine\n");
    CHECK(house.ask("ann@far.example") == "deliverable: fine");
    house.change("default_transport = error:5.1.1 gone\naddress_verify_positive_refresh_time = 1s\n");
    CHECK(run_until([&] { return house.ask("ann@far.example") == "deliverable: fine" && house.logged("status=undeliverable (gone)") > 0; }));
    run_rounds();
    CHECK(house.ask("ann@far.example") == "deliverable: fine");
}

TEST_CASE("without a negative cache a failure is probed anew each time", "[qmgr]")
{
    House house("default_transport = error:5.1.1 gone\naddress_verify_negative_cache = no\n");
    CHECK(house.ask("ann@far.example") == "undeliverable: gone");
    CHECK(house.ask("ann@far.example") == "undeliverable: gone");
    CHECK(house.logged("(queue active)") == 2);
}

TEST_CASE("only so many probes are under way", "[qmgr]")
{
    House house("default_transport = discard:fine\naddress_verify_pending_request_limit = 1\n");
    CHECK(house.ask("ann@far.example", 0).starts_with("in progress"));
    CHECK(house.ask("bob@far.example", 0).starts_with("in progress"));
    CHECK(house.logged("address_verify_pending_request_limit (1) is reached: <bob@far.example> is not probed") == 1);
    CHECK(house.ask("ann@far.example") == "deliverable: fine");
    CHECK(house.ask("bob@far.example") == "deliverable: fine");
}

TEST_CASE("a file that is no cache is left alone", "[qmgr]")
{
    House house("default_transport = discard:fine\n");
    base::Fd file = house.scratch.file("verified.db");
    base::write_all(file.get(), "somebody's diary\n", "file");
    house.open();
    CHECK(house.ask("ann@far.example") == "deliverable: fine");
    CHECK(base::read_file(house.scratch / "verified.db") == "somebody's diary\n");
    CHECK(house.logged("kept in memory only") == 1);
}
