// smtpd_milters and its kin: what is understood, what is refused, and that no mail passes by a milter that was written wrongly.
#include "filters/milter_settings.h"

#include "base/log.h"
#include "catch.h"

namespace {

config::Config settings(const std::string& lines = {})
{
    return config::Config::parse("queue_directory = /queue\nmyhostname = mail.example\n" + lines, "main.cf");
}

} // namespace

TEST_CASE("milters are listed by name, or in braces with settings of their own", "[smtpd]")
{
    auto config = settings("milter_default_action = quarantine\nmilter_content_timeout = 7s\nmilter_mail_macros = i, {auth_type}\n");
    auto services = smtpd::read_milters(config, "inet:localhost:8891, unix:private/filter unix:/run/filter\n"
                                                "{ inet:[::1]:11332, connect_timeout=2s, { command_timeout = 3s } default_action=accept, protocol=2 }");
    REQUIRE(services.size() == 4);
    CHECK(services[0].name == "inet:localhost:8891");
    CHECK(services[0].address == "inet:localhost:8891");
    CHECK(services[0].when_broken.kind == milter::Decision::hold);
    CHECK(services[0].content_timeout == std::chrono::seconds(7));
    CHECK(services[0].macros[static_cast<size_t>(milter::Moment::mail)] == std::vector<std::string>{"i", "{auth_type}"});
    CHECK(services[1].name == "unix:private/filter");
    CHECK(services[1].address == "/queue/private/filter");
    CHECK(services[2].address == "/run/filter");
    CHECK(services[3].connect_timeout == std::chrono::seconds(2));
    CHECK(services[3].command_timeout == std::chrono::seconds(3));
    CHECK(services[3].when_broken.kind == milter::Decision::go_on);
    CHECK(services[3].version == 2);
}

TEST_CASE("settings of milters that mean nothing are refused", "[smtpd]")
{
    for (const char* bad : {"localhost:8891", "{ }", "{ inet:x:1, colour=red }", "{ inet:x:1, connect_timeout=soon }", "{ inet:x:1, default_action=pray }",
                            "{ inet:x:1, protocol=5 }", "{ inet:x:1, accept }"}) {
        CAPTURE(bad);
        auto config = settings();
        CHECK_THROWS_AS(smtpd::read_milters(config, bad), config::Error);
    }
}

TEST_CASE("a milter that was written wrongly is one that cannot be reached", "[smtpd]")
{
    auto config = settings("smtpd_milters = localhost:8891\nmilter_default_action = accept\n");
    smtpd::MilterSettings milters(config, false);
    CHECK(milters.any());
    const auto& services = milters.for_client("192.0.2.1");
    REQUIRE(services.size() == 1);
    CHECK(services[0].when_broken.kind == milter::Decision::refuse);
}

TEST_CASE("which milters are asked", "[smtpd]")
{
    auto config = settings("smtpd_milters = inet:a:1\nnon_smtpd_milters = unix:b\nmilter_macro_defaults = {own}=x, other=y\n"
                           "smtpd_milter_maps = inline:{{192.0.2.1 = DISABLE}, {192.0.2.2 = inet:c:3}}\n");
    smtpd::MilterSettings network(config, false), letterbox(config, true);
    CHECK(network.for_client("192.0.2.9").at(0).name == "inet:a:1");
    CHECK(network.for_client("192.0.2.1").empty());
    CHECK(network.for_client("192.0.2.2").at(0).name == "inet:c:3");
    CHECK(letterbox.for_client("192.0.2.1").at(0).name == "unix:b");
    CHECK_FALSE(letterbox.needs_internet());
    CHECK(network.needs_internet());
    CHECK(*network.default_value("{own}") == "x");
    CHECK(*network.default_value("{other}") == "y");
    CHECK(network.default_value("{nothing}") == nullptr);
    auto without = settings("smtpd_milters = inet:a:1\nreceive_override_options = no_milters\n");
    CHECK_FALSE(smtpd::MilterSettings(without, false).any());
    CHECK_FALSE(smtpd::MilterSettings(settings(), false).any());
}
