// The words of notices: the file of the administrator, read and refused.
#include "config/notice_templates.h"

#include "catch.h"

using namespace config;

TEST_CASE("a template replaces the built-in one, and the others stay", "[config]")
{
    auto templates = parse_notice_templates("# ours\n\nfailure_template = <<EOF\nCharset: utf-8\nfrom: help@example.org (Help)\nSubject: Not sent\n"
                                            "Postmaster-Subject: Copy\n\nDear $myhostname user,\n  two\n\nbye\nEOF\n",
                                            "bounce.cf");
    CHECK(templates.failure.charset == "utf-8");
    CHECK(templates.failure.from == "help@example.org (Help)");
    CHECK(templates.failure.subject == "Not sent");
    CHECK(templates.failure.postmaster_subject == "Copy");
    CHECK(templates.failure.body == "Dear $myhostname user,\n  two\n\nbye\n");
    CHECK(templates.delay.body == default_notice_templates().delay.body);
}

TEST_CASE("what is written can be read again", "[config]")
{
    auto built_in = default_notice_templates();
    auto again = parse_notice_templates(notice_templates_text(built_in), "x");
    for (auto which : {&NoticeTemplates::failure, &NoticeTemplates::delay, &NoticeTemplates::success, &NoticeTemplates::verify}) {
        CHECK((again.*which).body == (built_in.*which).body);
        CHECK((again.*which).subject == (built_in.*which).subject);
        CHECK((again.*which).postmaster_subject == (built_in.*which).postmaster_subject);
    }
}

TEST_CASE("a slip in the templates names its line", "[config]")
{
    struct Case {
        const char* text;
        const char* where;
    };
    for (const auto& c : {Case{"failure_template = x\n", "f:1: "}, Case{"failure_template <<EOF\nEOF\n", "f:1: "},
                          Case{"\nother_template = <<EOF\nEOF\n", "f:2: "}, Case{"failure_template = <<EOF\nSubject: x\n\nno end\n", "f:4: "},
                          Case{"failure_template = <<EOF\nColour: x\nEOF\n", "f:2: "}, Case{"failure_template = <<\n", "f:1: "},
                          Case{"\x01\xff\n", "f:1: "}}) {
        CAPTURE(c.text);
        std::string said;
        try {
            parse_notice_templates(c.text, "f");
        } catch (const Error& slip) {
            said = slip.what();
        }
        CHECK(said.rfind(c.where, 0) == 0);
    }
}

TEST_CASE("times in a notice have the unit that is asked for", "[config]")
{
    auto config = Config::parse("myhostname = mail.example.org\ndelay_warning_time = 4h\nmaximal_queue_lifetime = 10d\n", "main.cf");
    CHECK(expand_notice("$delay_warning_time_hours ${delay_warning_time_minutes} $maximal_queue_lifetime_days $(maximal_queue_lifetime_weeks) $myhostname",
                        config) == "4 240 10 1 mail.example.org");
}
