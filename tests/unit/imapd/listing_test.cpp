// LIST and LSUB: patterns, selection and return options.
#include "catch.h"

#include "folder_pattern.h"
#include "listing.h"

using imapd::Arguments;
using imapd::Bad;
using imapd::matches_pattern;

namespace {

const std::vector<store::Folder> folders = {{"INBOX", true, true, true},        {"Drafts", true, false, true},
                                            {"INBOX/old", true, false, true},   {"Work", false, true, true},
                                            {"Work/2026", true, true, true},    {"Work/2026/Q1", true, false, true},
                                            {"\ubcf4\ub0b8", true, false, true}};

std::string shown(std::string_view command, const std::vector<std::string>& subscriptions = {})
{
    Arguments arguments(command);
    auto request = imapd::parse_list(arguments);
    std::string text;
    for (const auto& listed : imapd::choose_folders(request, folders, subscriptions, '/')) {
        text += text.empty() ? "" : " ";
        text += listed.name;
        if (listed.has_subscribed_child) text += "+";
    }
    return text;
}

std::string subscribed(std::string_view pattern, const std::vector<std::string>& subscriptions)
{
    imapd::ListRequest request;
    request.patterns.emplace_back(pattern);
    std::string text;
    for (const auto& listed : imapd::choose_subscribed(request, subscriptions, '/')) {
        text += text.empty() ? "" : " ";
        text += listed.name + (listed.selectable ? "" : "!");
    }
    return text;
}

} // namespace

TEST_CASE("folder patterns", "[imapd]")
{
    struct Case {
        std::string_view pattern, name;
        bool matches;
    };
    const Case cases[] = {
        {"*", "", true},          {"*", "a/b", true},       {"%", "a", true},
        {"%", "a/b", false},      {"%/%", "a/b", true},     {"a*", "ab/c", true},
        {"a%", "ab/c", false},    {"*c", "ab/c", true},     {"a*c*e", "abcde", true},
        {"a*c*e", "abcd", false}, {"inbox", "INBOX", true}, {"InB*", "INBOX", true},
        {"sent", "Sent", false},  {"", "", true},           {"", "a", false},
        {"%%", "a", true},        {"*%", "a/b", true},      {"%*", "a/b", true},
        {"a/%", "a/", true},      {"a", "a/b", false},      {"INBOX/%", "INBOX/old", true},
    };
    for (const auto& c : cases) {
        CAPTURE(c.pattern, c.name);
        CHECK(matches_pattern(c.pattern, c.name, '/') == c.matches);
    }
    std::string evil;
    for (int i = 0; i < 500; ++i) evil += "*a";
    CHECK(!matches_pattern(evil, std::string(255, 'a') + "b", '/'));
}

TEST_CASE("LIST shows what matches", "[imapd]")
{
    CHECK(shown(" \"\" *") == "INBOX Drafts INBOX/old Work Work/2026 Work/2026/Q1 \ubcf4\ub0b8");
    CHECK(shown(" \"\" %") == "INBOX Drafts Work \ubcf4\ub0b8");
    CHECK(shown(" Work/ %") == "Work/2026");
    CHECK(shown(" \"\" inbox") == "INBOX");
    CHECK(shown(" \"\" &vPSwuA-") == "\ubcf4\ub0b8");
    CHECK(shown(" \"\" (Drafts \"Work/%\")") == "Drafts Work/2026");
    CHECK(shown(" (SPECIAL-USE) \"\" *") == "Drafts");
}

TEST_CASE("LIST selects subscriptions", "[imapd]")
{
    std::vector<std::string> mine{"Drafts", "Gone/below", "Work/2026/Q1"};
    CHECK(shown(" (SUBSCRIBED) \"\" *", mine) == "Drafts Work/2026/Q1 Gone/below");
    CHECK(shown(" (SUBSCRIBED) \"\" %", mine) == "Drafts");
    CHECK(shown(" (SUBSCRIBED RECURSIVEMATCH) \"\" %", mine) == "Drafts Work+ Gone+");
    CHECK(shown(" (SUBSCRIBED RECURSIVEMATCH) \"\" *", mine) == "Drafts Work/2026/Q1 Gone/below");
    CHECK(shown(" (REMOTE) \"\" Drafts", mine) == "Drafts");
}

TEST_CASE("LIST's return options", "[imapd]")
{
    Arguments arguments(" () \"\" % RETURN (CHILDREN SPECIAL-USE SUBSCRIBED STATUS (MESSAGES UNSEEN))");
    auto request = imapd::parse_list(arguments);
    CHECK(request.tell_subscribed);
    CHECK(request.status == std::vector<imapd::StatusItem>{imapd::StatusItem::messages, imapd::StatusItem::unseen});
    for (std::string_view text : {"", " ", " \"\"", " \"\" ", " (FOO) \"\" *", " (RECURSIVEMATCH) \"\" *",
                                  " \"\" * RETURN", " \"\" * RETURN (FOO)", " \"\" ()", " \"\" (a", " \"\" * x",
                                  " \"\" * RETURN (STATUS)", " \"\" * RETURN (STATUS ())"}) {
        CAPTURE(text);
        auto read = [&] {
            Arguments wrong(text);
            imapd::parse_list(wrong);
        };
        CHECK_THROWS_AS(read(), Bad);
    }
}

TEST_CASE("LSUB shows levels above what is subscribed, RFC 3501 6.3.9", "[imapd]")
{
    std::vector<std::string> mine{"INBOX", "foo/bar", "foo/baz", "news"};
    CHECK(subscribed("*", mine) == "INBOX foo/bar foo/baz news");
    CHECK(subscribed("%", mine) == "INBOX news foo!");
    CHECK(subscribed("foo/%", mine) == "foo/bar foo/baz");
}
