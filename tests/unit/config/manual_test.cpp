// manual: the pages that are printed from the table.
#include "catch.h"

#include "config/manual.h"
#include "config/parameters.h"

TEST_CASE("every parameter is in the manual")
{
    std::string page = config::manual();
    for (const config::Row& row : config::table()) {
        CAPTURE(row.name);
        CHECK(page.find(".B " + std::string(row.name) + "\n") != page.npos);
    }
    CHECK(page.starts_with(".TH MAIN.CF 5"));
}

TEST_CASE("the table is sorted and has no name twice")
{
    auto table = config::table();
    for (size_t i = 1; i < table.size(); ++i) {
        CAPTURE(table[i].name);
        CHECK(table[i - 1].name < table[i].name);
    }
    CHECK(config::find_row("smtpd_timeout"));
    CHECK(!config::find_row("smtpd_timeou"));
    CHECK(!config::find_row(""));
}

TEST_CASE("sections and escapes")
{
    CHECK(config::manual_section("pop3d").find(".B pop3d_timeout") != std::string::npos);
    CHECK(config::manual_section("nobody").empty());
    CHECK(config::roff(".a\n'b\\c-d") == "\\&.a\n\\&'b\\ec\\-d");
}
