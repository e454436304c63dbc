// Annotations: what is noted of mailboxes comes back, follows a new name, and goes with its mailbox.
#include "catch.h"

#include "store/annotations.h"
#include "temporary_folder.h"

using store::Annotations;

TEST_CASE("annotations are kept by mailbox and entry", "[store]")
{
    TemporaryFolder folder;
    Annotations notes(folder / "notes");
    CHECK(notes.of("INBOX").empty());
    const std::string binary("a\0\tb\nc", 6);
    CHECK(notes.change("INBOX", {{"/private/a", binary}, {"/private/b", ""}}));
    CHECK(notes.change("", {{"/private/a", "server"}}));
    Annotations again(folder / "notes");
    CHECK(again.of("INBOX") == Annotations::Entries{{"/private/a", binary}, {"/private/b", ""}});
    CHECK(again.everywhere("/private/a").size() == 2);
    CHECK(notes.change("INBOX", {{"/private/a", std::nullopt}, {"/private/none", std::nullopt}}));
    CHECK(again.of("INBOX").size() == 1);
}

TEST_CASE("annotations follow their mailbox", "[store]")
{
    TemporaryFolder folder;
    Annotations notes(folder / "notes");
    for (std::string name : {"A", "A.B", "AB", ""}) notes.change(name, {{"/private/x", name}});
    notes.follow("A", "C", '.');
    CHECK(notes.of("A").empty());
    CHECK(notes.of("C").size() == 1);
    CHECK(notes.of("C.B").size() == 1);
    CHECK(notes.of("AB").size() == 1);
    notes.follow("C", std::nullopt, '.');
    CHECK(notes.of("C").empty());
    CHECK(notes.of("C.B").size() == 1);
    CHECK(notes.of("").size() == 1);
}

TEST_CASE("there is an end to annotations, and a broken file is none", "[store]")
{
    TemporaryFolder folder;
    Annotations notes(folder / "notes");
    std::vector<Annotations::Change> many;
    for (size_t i = 0; i <= Annotations::most_entries; ++i) many.push_back({"/private/" + std::to_string(i), "x"});
    CHECK(!notes.change("INBOX", many));
    CHECK(notes.of("INBOX").empty());
    folder.write("notes", "no\nINBOX\t/private/x\t!!\nINBOX\t/private/y\teA==\n\t\t\n");
    CHECK(notes.of("INBOX") == Annotations::Entries{{"/private/y", "x"}});
}
