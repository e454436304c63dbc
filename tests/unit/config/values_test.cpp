// values: texts that are values of a type, and texts that are not.
#include "catch.h"

#include "config/values.h"

using namespace std::chrono_literals;
using Strings = std::vector<std::string>;

TEST_CASE("yes and no")
{
    CHECK(config::to_flag("yes") == true);
    CHECK(config::to_flag("No") == false);
    for (auto text : {"", "true", "1", "y", "yes ", "yes # really"}) {
        CAPTURE(text);
        CHECK(!config::to_flag(text));
    }
}

TEST_CASE("numbers")
{
    CHECK(config::to_number("0") == 0);
    CHECK(config::to_number("-1") == -1);
    CHECK(config::to_number("+7") == 7);
    CHECK(config::to_number("9223372036854775807") == INT64_MAX);
    for (auto text : {"", "1k", "0x10", " 1", "1 ", "9223372036854775808", "1.5", "+", "+-1"}) {
        CAPTURE(text);
        CHECK(!config::to_number(text));
    }
}

TEST_CASE("times")
{
    CHECK(config::to_seconds("300") == 300s);
    CHECK(config::to_seconds("300s") == 300s);
    CHECK(config::to_seconds("5m") == 5min);
    CHECK(config::to_seconds("2H") == 2h);
    CHECK(config::to_seconds("1d") == 24h);
    CHECK(config::to_seconds("1w") == 7 * 24h);
    CHECK(config::to_seconds("5", 'd') == 5 * 24h);
    CHECK(config::to_seconds("0") == 0s);
    for (auto text : {"", "s", "5 m", "5y", "-1s", "1800s # default", "99999999999s", "4000w", "1.5h", "5mm"}) {
        CAPTURE(text);
        CHECK(!config::to_seconds(text));
    }
}

TEST_CASE("the unit of a default is the unit of a bare number")
{
    CHECK(config::time_unit("5d") == 'd');
    CHECK(config::time_unit("300s") == 's');
    CHECK(config::time_unit("${stress?{10}:{300}}s") == 's');
    CHECK(config::time_unit("${stress?{1}:{3}}h") == 'h');
    CHECK(config::time_unit("$other_timed") == 's');
    CHECK(config::time_unit("") == 's');
}

TEST_CASE("lists")
{
    CHECK(config::to_list("").empty());
    CHECK(config::to_list(" , ,, ").empty());
    CHECK(config::to_list("a, b c,d\te") == Strings{"a", "b", "c", "d", "e"});
    CHECK(config::to_list("!SSLv2, !SSLv3, >=TLSv1.2") == Strings{"!SSLv2", "!SSLv3", ">=TLSv1.2"});
    CHECK(config::to_list("inline:{{<> = REJECT}}, static:5000") == Strings{"inline:{{<> = REJECT}}", "static:5000"});
    CHECK(config::to_list("{ inet:h:1, default_action=accept } inet:h:2") ==
          Strings{"{ inet:h:1, default_action=accept }", "inet:h:2"});
    CHECK(config::to_list("127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128") ==
          Strings{"127.0.0.0/8", "[::ffff:127.0.0.0]/104", "[::1]/128"});
    CHECK(config::to_list("} a, { b c") == Strings{"}", "a", "{ b c"});
}

TEST_CASE("compatibility levels")
{
    CHECK(config::to_level("3.10") > config::to_level("3.9"));
    CHECK(config::to_level("3") == config::to_level("3.0.0"));
    CHECK(config::to_level("2") < config::to_level("3.6"));
    CHECK(config::to_level("0") == 0);
    for (auto text : {"", "x", "3.", ".3", "1.2.3.4", "-1", "99999"}) {
        CAPTURE(text);
        CHECK(!config::to_level(text));
    }
}
