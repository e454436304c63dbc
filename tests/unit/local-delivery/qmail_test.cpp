// .qmail files: their lines, their names, and what programs that they name are told and mean.
#include "catch.h"

#include "qmail/dot_qmail.h"

#include "base/text.h"

#include <algorithm>

using namespace local_delivery;

namespace {

std::string shown(std::string_view text, bool forwards_only = false)
{
    DotQmail file = parse_dot_qmail(text, forwards_only);
    if (!file.fault.empty()) return "fault: " + file.fault;
    std::string all = file.empty ? "empty" : "";
    for (const QmailLine& line : file.lines)
        all += std::string(line.kind == QmailLine::Kind::program ? "|" : line.kind == QmailLine::Kind::file ? "=" : "&") + line.text + " ; ";
    return all;
}

std::string names(std::string_view extension)
{
    std::string all;
    for (const QmailName& name : qmail_names(extension)) all += name.name + (name.is_default ? "(" + name.default_part + ") " : " ");
    return all;
}

std::string variable(const std::vector<std::string>& list, const std::string& name)
{
    for (const auto& item : list)
        if (item.starts_with(name + "=")) return item.substr(name.size() + 1);
    return "unset";
}

} // namespace

TEST_CASE("lines of a .qmail file are told apart by their first character", "[local-delivery]")
{
    struct Case {
        std::string text, shown;
        bool forwards_only = false;
    };
    const Case cases[] = {
        {"", "empty"},
        {"# nothing but a comment\n", ""},
        {"&anna@example.org\nben\n", "&anna@example.org ; &ben ; "},
        {"|preline procmail \t\n", "|preline procmail ; "},
        {"./Maildir/\n./mbox\n/var/x", "=./Maildir/ ; =./mbox ; =/var/x ; "},
        {"a@x\n\n  \n#c\nb@x\n", "&a@x ; &b@x ; "},
        {"\na@x\n", "fault: Uh-oh: first line of .qmail file is blank. (#4.2.1)"},
        {" \t\na@x\n", "fault: Uh-oh: first line of .qmail file is blank. (#4.2.1)"},
        {"&\n&a\n", "&a ; "},
        {"a@x\n|cmd\n", "fault: Uh-oh: .qmail has prog delivery but has x bit set. (#4.7.0)", true},
        {"./mbox\n", "fault: Uh-oh: .qmail has file delivery but has x bit set. (#4.7.0)", true},
        {"a@x\n&b@x\n", "&a@x ; &b@x ; ", true},
        {"+list\n|cmd\n", "fault: Uh-oh: .qmail has prog delivery but has x bit set. (#4.7.0)"},
        {"+other\na@x\n", "&a@x ; "},
        {std::string("a@x\0|b\n", 7), "&a@x ; "},
    };
    for (const Case& each : cases) {
        CAPTURE(each.text);
        CHECK(shown(each.text, each.forwards_only) == each.shown);
    }
    std::string many;
    for (int i = 0; i < 20'000; ++i) many += "a@x\n";
    CHECK(shown(many).starts_with("fault: "));
}

TEST_CASE("an extension has its own file, or a default one", "[local-delivery]")
{
    CHECK(names("") == ".qmail ");
    CHECK(names("list") == ".qmail-list .qmail-default(list) ");
    CHECK(names("List-Owner-x") == ".qmail-list-owner-x .qmail-list-owner-default(x) .qmail-list-default(Owner-x) .qmail-default(List-Owner-x) ");
    CHECK(names("a.b/../c") == "");
    CHECK(names("a..b") == ".qmail-a::b .qmail-default(a..b) ");
    CHECK(names("a-") == ".qmail-a- .qmail-a-default() .qmail-default(a-) ");
}

TEST_CASE("a program of a .qmail file is told what qmail-command(8) lists", "[local-delivery]")
{
    QmailRecipient recipient{"anna-list-x-y", "list-x-y", "mail.dept.example.org", "/home/anna", "anna", "s@z"};
    auto list = qmail_environment(recipient, {".qmail-list-default", "x-y", true}, "anna-list-owner@mail.dept.example.org");
    const std::pair<const char*, const char*> cases[] = {
        {"SENDER", "s@z"}, {"NEWSENDER", "anna-list-owner@mail.dept.example.org"}, {"RECIPIENT", "anna-list-x-y@mail.dept.example.org"},
        {"USER", "anna"}, {"HOME", "/home/anna"}, {"LOCAL", "anna-list-x-y"}, {"HOST", "mail.dept.example.org"}, {"HOST2", "mail.dept.example"},
        {"HOST3", "mail.dept"}, {"HOST4", "mail"}, {"EXT", "list-x-y"}, {"EXT2", "x-y"}, {"EXT3", "y"}, {"EXT4", ""}, {"DEFAULT", "x-y"},
        {"RPLINE", "Return-Path: <s@z>\n"}, {"DTLINE", "Delivered-To: anna-list-x-y@mail.dept.example.org\n"},
    };
    for (const auto& [name, value] : cases) {
        CAPTURE(name);
        CHECK(variable(list, name) == value);
    }
    CHECK(variable(list, "UFLINE").starts_with("From s@z  "));
    recipient.sender = "evil\nX: y";
    list = qmail_environment(recipient, {".qmail", "", false}, "");
    CHECK(variable(list, "DEFAULT") == "unset");
    CHECK(variable(list, "RPLINE") == "Return-Path: <evil?X: y>\n");
}

TEST_CASE("the exit status of a program is qmail's, not sysexits'", "[local-delivery]")
{
    CHECK(qmail_verdict(0) == QmailVerdict::good);
    CHECK(qmail_verdict(99) == QmailVerdict::enough);
    for (int never : {64, 65, 70, 76, 77, 78, 100, 112}) CHECK(qmail_verdict(never) == QmailVerdict::never);
    for (int later : {1, 2, 67, 71, 75, 111, 127, 255}) CHECK(qmail_verdict(later) == QmailVerdict::later);
    CHECK(qmail_status("Sorry, no. (#5.2.9)", '5') == "5.2.9");
    CHECK(qmail_status("Sorry, no. (#5.2.9)", '4') == "4.3.0");
    CHECK(qmail_status("(#5.x.1)", '5') == "5.3.0");
    CHECK(qmail_status("(#5.1", '5') == "5.3.0");
    CHECK(qmail_status("", '4') == "4.3.0");
}
