// Notes: found again by every session; what is torn, foreign, damaged or of another UIDVALIDITY is as if it were not there.
#include "catch.h"

#include "store/store.h"
#include "temporary_folder.h"

#include <sys/stat.h>

namespace {

using namespace store;
using Kind = Notes::Kind;

constexpr uint32_t validity = 1'700'000'000;

std::string found(Notes& notes, uint32_t uid, Kind kind) { return std::string(notes.find(uid, kind).value_or("-")); }

void write_three(const std::string& path)
{
    Notes notes(path, validity);
    notes.add(7, Kind::fields, "seven");
    notes.add(3, Kind::fields, "three");
    notes.add(3, Kind::body, std::string("\0b", 2));
}

} // namespace

TEST_CASE("what was noted is found by later sessions", "[store]")
{
    TemporaryFolder folder;
    write_three(folder / "notes");
    Notes notes(folder / "notes", validity);
    CHECK(found(notes, 7, Kind::fields) == "seven");
    CHECK(found(notes, 3, Kind::fields) == "three");
    CHECK(found(notes, 3, Kind::body) == std::string("\0b", 2));
    CHECK(found(notes, 7, Kind::body) == "-");
    CHECK(found(notes, 4, Kind::fields) == "-");
    notes.add_number(9, Kind::date, -5);
    notes.add(9, Kind::preview, "");
    CHECK_FALSE(notes.find_number(9, Kind::date));
    notes.save();
    CHECK(notes.find_number(9, Kind::date).value_or(0) == -5);
    CHECK(found(notes, 9, Kind::preview).empty());
    CHECK_FALSE(notes.find_number(7, Kind::fields));        // that is no number
    struct stat info{};
    REQUIRE(::stat((folder / "notes").c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0600);
}

TEST_CASE("two sessions note side by side, each thing once", "[store]")
{
    TemporaryFolder folder;
    Notes one(folder / "notes", validity), other(folder / "notes", validity);
    one.add(1, Kind::fields, "one");
    one.save();
    other.add(1, Kind::fields, "one");
    other.add(2, Kind::fields, "two");
    other.save();
    CHECK(found(other, 1, Kind::fields) == "one");
    one.add(3, Kind::fields, "three");
    one.save();
    CHECK(found(one, 2, Kind::fields) == "two");
    CHECK(folder.read("notes").size() == 16 + 3 * 16 + 3 + 3 + 5);
}

TEST_CASE("values that are too long are not noted", "[store]")
{
    TemporaryFolder folder;
    {
        Notes notes(folder / "notes", validity);
        notes.add(1, Kind::fields, std::string(Notes::value_limit, 'x'));
        notes.add(2, Kind::fields, std::string(Notes::value_limit + 1, 'x'));
        notes.add(0, Kind::fields, "there is no such UID");
    }
    Notes notes(folder / "notes", validity);
    CHECK(found(notes, 1, Kind::fields).size() == Notes::value_limit);
    CHECK(found(notes, 2, Kind::fields) == "-");
    CHECK(found(notes, 0, Kind::fields) == "-");
}

TEST_CASE("a damaged file gives no wrong answer and is of use again after the next save", "[store]")
{
    TemporaryFolder folder;
    write_three(folder / "notes");
    std::string whole = folder.read("notes");
    for (size_t at = 0; at < whole.size(); ++at) {
        CAPTURE(at);
        bool torn = GENERATE(false, true);
        std::string bytes = whole;
        if (torn) bytes.resize(at);
        else bytes[at] = static_cast<char>(bytes[at] ^ 0x41);
        folder.write("notes", bytes);
        {
            Notes notes(folder / "notes", validity);
            for (auto [uid, kind, value] : {std::tuple(7U, Kind::fields, "seven"), std::tuple(3U, Kind::fields, "three")}) {
                std::string now = found(notes, uid, kind);
                CHECK((now == "-" || now == value));
            }
            notes.add(7, Kind::fields, "seven");
            notes.add(11, Kind::fields, "eleven");
        }
        Notes notes(folder / "notes", validity);
        CHECK(found(notes, 7, Kind::fields) == "seven");
        CHECK(found(notes, 11, Kind::fields) == "eleven");
    }
}

TEST_CASE("a file changed behind an open one gives no wrong answer", "[store]")
{
    TemporaryFolder folder;
    write_three(folder / "notes");
    Notes notes(folder / "notes", validity);
    folder.write("notes", std::string(200, 'x'));
    CHECK(found(notes, 7, Kind::fields) == "-");
    folder.write("notes", "");
    CHECK(found(notes, 3, Kind::fields) == "-");
    notes.add(5, Kind::fields, "five");
    notes.save();
    Notes later(folder / "notes", validity);
    CHECK(found(later, 5, Kind::fields) == "five");
}

TEST_CASE("notes of another UIDVALIDITY are of other messages", "[store]")
{
    TemporaryFolder folder;
    write_three(folder / "notes");
    {
        Notes notes(folder / "notes", validity + 1);
        CHECK(found(notes, 7, Kind::fields) == "-");
        notes.add(7, Kind::fields, "another");
    }
    Notes notes(folder / "notes", validity + 1);
    CHECK(found(notes, 7, Kind::fields) == "another");
    CHECK(found(notes, 3, Kind::fields) == "-");
}

TEST_CASE("where nothing can be written, nothing is noted", "[store]")
{
    TemporaryFolder folder;
    REQUIRE(::mkdir((folder / "a-folder").c_str(), 0700) == 0);
    REQUIRE(::mkfifo((folder / "a-pipe").c_str(), 0600) == 0);
    REQUIRE(::symlink("target", (folder / "a-link").c_str()) == 0);
    for (const char* name : {"missing/notes", "a-folder", "a-pipe", "a-link"}) {
        CAPTURE(name);
        Notes notes(folder / name, validity);
        notes.add(7, Kind::fields, "seven");
        notes.save();
        CHECK(found(notes, 7, Kind::fields) == "-");
    }
    CHECK_FALSE(base::exists(folder / "target"));
}

TEST_CASE("notes of messages that are gone make room in the end", "[store]")
{
    TemporaryFolder folder;
    std::vector<Message> present{{2, 0}, {1500, 0}};
    Notes notes(folder / "notes", validity);
    std::string value(1024, 'v');
    for (uint32_t uid = 1; uid <= 2000; ++uid) notes.add(uid, Kind::fields, value);
    notes.save();
    CHECK(folder.read("notes").size() == 16 + 2000 * (16 + 1024));
    notes.tidy(present);
    CHECK(folder.read("notes").size() == 16 + 2 * (16 + 1024));
    CHECK(found(notes, 2, Kind::fields) == value);
    CHECK(found(notes, 1500, Kind::fields) == value);
    CHECK(found(notes, 1, Kind::fields) == "-");
    notes.add(3, Kind::fields, "three");
    notes.save();
    CHECK(found(notes, 3, Kind::fields) == "three");
}

TEST_CASE("a Maildir message's size and date are noted", "[store]")
{
    TemporaryFolder folder;
    folder.write("Maildir/cur/1.M1P1.h:2,", "Subject: x\n\nx\n");
    for (const char* part : {"new", "tmp"}) std::filesystem::create_directories(folder / "Maildir/" + part);
    auto store = open_store(parse_location("maildir:" + folder / "Maildir", {"anna", folder.path()}));
    auto first = store->open("INBOX", Access::read_write);
    std::time_t date = first->date(1).value_or(0);
    CHECK(first->size(1).value_or(0) == 17);
    first.reset();
    auto again = store->open("INBOX", Access::read_only);
    CHECK(again->notes().find_number(1, Kind::size).value_or(0) == 17);
    CHECK(again->notes().find_number(1, Kind::date).value_or(0) == date);
    CHECK(again->size(1).value_or(0) == 17);
    CHECK(again->date(1).value_or(0) == date);
}
