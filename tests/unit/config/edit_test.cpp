// edit: postconf's changes leave every other byte where it was.
#include "catch.h"

#include "config/edit.h"
#include "config/print.h"

namespace {

const std::string main_cf = "# head\n"
                            "relayhost = a\n"
                            "\n"
                            "smtpd_recipient_restrictions = permit_mynetworks,\n"
                            "    # inner\n"
                            "    reject_unauth_destination\n"
                            "relayhost=b\n"
                            "# tail\n";

const std::string master_cf = "# head\n"
                              "smtp      inet  n       -       y       -       -       smtpd\n"
                              "submission inet n       -       y       -       -       smtpd\n"
                              "  -o syslog_name=postfix/submission\n"
                              "# inner\n"
                              "  -o a=b\n"
                              "smtp      unix  -       -       y       -       -       smtp\n";

} // namespace

TEST_CASE("parameters are set where they stand, or at the end")
{
    CHECK(config::set_parameters(main_cf, {{"relayhost", "[c]:25"}, {"new_one", "x  y"}}) ==
          "# head\nrelayhost = [c]:25\n\nsmtpd_recipient_restrictions = permit_mynetworks,\n    # inner\n"
          "    reject_unauth_destination\n# tail\nnew_one = x  y\n");
    CHECK(config::set_parameters(main_cf, {{"smtpd_recipient_restrictions", "reject"}}) ==
          "# head\nrelayhost = a\n\nsmtpd_recipient_restrictions = reject\n    # inner\nrelayhost=b\n# tail\n");
    CHECK(config::set_parameters("a = 1", {{"a", "2"}}) == "a = 2\n");
    CHECK(config::set_parameters("a = 1", {{"b", "2"}}) == "a = 1\nb = 2\n");
    CHECK(config::set_parameters("", {{"b", "2"}, {"b", "3"}}) == "b = 3\n");
    CHECK(config::set_parameters("#a = 1\n", {{"a", "2"}}) == "#a = 1\na = 2\n");
}

TEST_CASE("parameters are removed or commented out")
{
    CHECK(config::remove_parameters(main_cf, {"relayhost", "smtpd_recipient_restrictions"}) ==
          "# head\n\n    # inner\n# tail\n");
    CHECK(config::remove_parameters(main_cf, {"nosuch"}) == main_cf);
    CHECK(config::comment_out_parameters(main_cf, {"smtpd_recipient_restrictions"}) ==
          "# head\nrelayhost = a\n\n#smtpd_recipient_restrictions = permit_mynetworks,\n    # inner\n#    "
          "reject_unauth_destination\n"
          "relayhost=b\n# tail\n");
}

TEST_CASE("services are matched by name and type")
{
    CHECK(config::service_matches("smtp", "smtp", "inet"));
    CHECK(config::service_matches("smtp/*", "smtp", "unix"));
    CHECK(config::service_matches("*/unix", "smtp", "unix"));
    CHECK(config::service_matches("*", "smtp", "unix"));
    CHECK(!config::service_matches("smtp/inet", "smtp", "unix"));
    CHECK(!config::service_matches("smtp", "smtps", "inet"));
}

TEST_CASE("services are set, removed and commented out")
{
    CHECK(config::set_service(master_cf, "submission/inet", "NEW\n    -o x=y") ==
          "# head\nsmtp      inet  n       -       y       -       -       smtpd\nNEW\n    -o x=y\n# inner\n"
          "smtp      unix  -       -       y       -       -       smtp\n");
    CHECK(config::set_service(master_cf, "lmtp/unix", "NEW") == master_cf + "NEW\n");
    CHECK(config::remove_services(master_cf, {"smtp/unix", "submission/*"}) ==
          "# head\nsmtp      inet  n       -       y       -       -       smtpd\n# inner\n");
    CHECK(config::comment_out_services(master_cf, {"submission/inet"}) ==
          "# head\nsmtp      inet  n       -       y       -       -       smtpd\n"
          "#submission inet n       -       y       -       -       smtpd\n#  -o syslog_name=postfix/submission\n# "
          "inner\n#  -o a=b\n"
          "smtp      unix  -       -       y       -       -       smtp\n");
}

TEST_CASE("services are printed in Postfix's columns")
{
    auto table = config::MasterTable::parse(
        "mailman unix - n n 60? 5 pipe flags=FRX user=list argv=/usr/lib/mailman/bin/postfix-to-mailman.py "
        "${nexthop} ${user}\nsubmission inet n - y - - smtpd -o a=b -o { c = d e } -v\n",
        "master.cf");
    CHECK(config::print_service(table.services[0], false) ==
          "mailman    unix  -       n       n       60?     5       pipe flags=FRX user=list "
          "argv=/usr/lib/mailman/bin/postfix-to-mailman.py ${nexthop} ${user}");
    CHECK(config::print_service(table.services[0], true) ==
          "mailman    unix  -       n       n       60?     5       pipe flags=FRX\n"
          "    user=list argv=/usr/lib/mailman/bin/postfix-to-mailman.py ${nexthop}\n    ${user}");
    CHECK(config::print_service(table.services[1], true) ==
          "submission inet  n       -       y       -       -       smtpd\n    -o a=b\n    -o {c=d e}\n    -v");
}

TEST_CASE("what is printed reads back the same")
{
    auto table = config::MasterTable::load(SOURCE_DIR "/conf");
    for (const auto& service : table.services) {
        for (bool folded : {false, true}) {
            auto again = config::MasterTable::parse(config::print_service(service, folded) + "\n", "again");
            REQUIRE(again.services.size() == 1);
            CHECK(again.services[0].overrides == service.overrides);
            CHECK(config::print_service(again.services[0], false) == config::print_service(service, false));
        }
    }
}

TEST_CASE("long values are folded at 80 columns")
{
    CHECK(config::fold("smtpd_recipient_restrictions = permit_mynetworks,   reject_unauth_destination, "
                       "check_policy_service unix:private/policy") ==
          "smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination,\n    check_policy_service "
          "unix:private/policy");
    CHECK(config::fold("") == "");
    CHECK(config::fold(std::string(200, 'x')) == std::string(200, 'x'));
}
