// The folders of the spool: where a message lies, and its moves.
#include "spool/folders.h"

#include "catch.h"
#include "scratch.h"
#include "spool/queue_id.h"

using namespace spool;

namespace {

const std::string id = make_queue_id(1'700'000'000'000'000, 7);

} // namespace

TEST_CASE("a message is found wherever it lies", "[spool]")
{
    Scratch scratch;
    Folders folders(scratch.path());
    folders.make();
    folders.make();
    CHECK_FALSE(folders.find(id));
    { base::Fd fd = folders.create(id); }
    CHECK(folders.find(id) == Place{Queue::incoming});
    Place way[] = {{Queue::incoming}, {Queue::active}, {Queue::deferred, 1700000300}, {Queue::deferred, 1700000600}, {Queue::hold},
                   {Queue::deferred, 0}, {Queue::corrupt}, {Queue::incoming}};
    for (size_t i = 0; i + 1 < std::size(way); ++i) {
        folders.move(way[i], way[i + 1], id);
        CAPTURE(i);
        CHECK(folders.find(id) == way[i + 1]);
        CHECK(folders.list(way[i + 1]) == std::vector<std::string>{id});
        CHECK(folders.list(way[i]).empty());
    }
    CHECK(folders.remove({Queue::incoming}, id));
    CHECK_FALSE(folders.remove({Queue::incoming}, id));
    CHECK_FALSE(folders.find(id));
}

TEST_CASE("an id is given once", "[spool]")
{
    Scratch scratch;
    Folders folders(scratch.path());
    folders.make();
    base::Fd fd = folders.create(id);
    int code = 0;
    try {
        folders.create(id);
    } catch (const base::SystemError& failure) {
        code = failure.code();
    }
    CHECK(code == EEXIST);
}

TEST_CASE("due times come in order and go when they are empty", "[spool]")
{
    Scratch scratch;
    Folders folders(scratch.path());
    CHECK(folders.due_times().empty());     // no folder at all yet
    folders.make();
    int64_t times[] = {1700000900, 900, 1700000300};
    for (size_t i = 0; i < std::size(times); ++i) {
        std::string each = make_queue_id(1'700'000'000'000'000, i);
        { base::Fd fd = folders.create(each); }
        folders.move({Queue::incoming}, {Queue::deferred, times[i]}, each);
    }
    std::filesystem::create_directory(scratch / "deferred/lost+found");
    CHECK(folders.due_times() == std::vector<int64_t>{900, 1700000300, 1700000900});
    folders.forget_due_time(900);       // not empty: stays
    CHECK(folders.due_times().size() == 3);
    folders.remove({Queue::deferred, 900}, make_queue_id(1'700'000'000'000'000, 1));
    folders.forget_due_time(900);
    CHECK(folders.due_times() == std::vector<int64_t>{1700000300, 1700000900});
}

TEST_CASE("a listing is in order of time and passes over strangers", "[spool]")
{
    Scratch scratch;
    Folders folders(scratch.path());
    folders.make();
    std::vector<std::string> ids;
    for (int64_t time : {5, 3, 9, 1}) {
        ids.push_back(make_queue_id(1'700'000'000'000'000 + time, 60000));
        base::Fd fd = folders.create(ids.back());
    }
    scratch.file("incoming/core");
    scratch.file("incoming/.hidden");
    std::sort(ids.begin(), ids.end());
    CHECK(folders.list({Queue::incoming}) == ids);
}

TEST_CASE("a symbolic link is no message", "[spool]")
{
    Scratch scratch;
    Folders folders(scratch.path());
    folders.make();
    scratch.file("elsewhere");
    std::filesystem::create_symlink(scratch / "elsewhere", scratch / ("incoming/" + id));
    CHECK_THROWS_AS(folders.open({Queue::incoming}, id), base::SystemError);
    CHECK_THROWS_AS(folders.open_to_read({Queue::incoming}, id), base::SystemError);
}

TEST_CASE("names of queues", "[spool]")
{
    for (const char* name : {"incoming", "active", "deferred", "hold", "corrupt"}) {
        REQUIRE(find_queue(name));
        CHECK(queue_name(*find_queue(name)) == std::string(name));
    }
    for (const char* name : {"", "Active", "maildrop", "active/", "defer"}) CHECK_FALSE(find_queue(name));
}

TEST_CASE("only ids are looked for", "[spool]")
{
    Scratch scratch;
    Folders folders(scratch.path());
    folders.make();
    scratch.file("secret");
    CHECK_FALSE(folders.find("../secret"));
    CHECK_FALSE(folders.find(""));
    CHECK_FALSE(folders.find("."));
}
