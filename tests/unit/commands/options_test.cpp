// The command line of sendmail: each flag with and without its value, and what is refused.
#include "sendmail_exim.h"
#include "sendmail_options.h"

#include "catch.h"

using namespace sendmail;

namespace {

using Words = std::vector<std::string>;

Options parse(const Words& words, const std::string& name = "sendmail") { return parse_options(name, words); }

} // namespace

TEST_CASE("the flags that choose a mode")
{
    struct Case {
        const char* flag;
        Mode mode;
    };
    for (auto [flag, mode] : {Case{"-bm", Mode::deliver}, {"-ba", Mode::deliver}, {"-bs", Mode::smtp}, {"-bp", Mode::list_queue}, {"-bP", Mode::count_queue},
                              {"-bi", Mode::new_aliases}, {"-I", Mode::new_aliases}, {"-bv", Mode::verify}, {"-bd", Mode::daemon}, {"-bl", Mode::daemon},
                              {"-bD", Mode::foreground}, {"-bC", Mode::check}, {"-bt", Mode::test}, {"-bh", Mode::nothing}, {"-bH", Mode::nothing},
                              {"-q", Mode::flush}, {"-q15m", Mode::flush}, {"-qf", Mode::flush}, {"-qp", Mode::flush}, {"-qp5m", Mode::flush},
                              {"-qGname", Mode::flush}, {"-qQ", Mode::flush}}) {
        CAPTURE(flag);
        CHECK(parse({flag}).mode == mode);
    }
    CHECK(parse({"-b", "p"}).mode == Mode::list_queue);
    CHECK(parse({"-bd", "-q15m"}).mode == Mode::daemon);
    CHECK(parse({"-bs", "-i", "-t"}).mode == Mode::smtp);
}

TEST_CASE("the name says what it is")
{
    for (auto [name, mode] : {std::pair{"sendmail", Mode::deliver}, {"mailq", Mode::list_queue}, {"newaliases", Mode::new_aliases},
                              {"hoststat", Mode::nothing}, {"purgestat", Mode::nothing}, {"smtpd", Mode::daemon}, {"runq", Mode::flush},
                              {"rmail", Mode::deliver}, {"smail", Mode::deliver}})
        CHECK(parse({}, name).mode == mode);
    CHECK(parse({"x@y"}, "rmail").sender_from_mbox);
    CHECK_FALSE(parse({"x@y"}, "rmail").dot_ends);
    CHECK(parse({"-Ac"}, "mailq").mode == Mode::list_queue);
}

TEST_CASE("values are attached or follow")
{
    for (const auto& words : {Words{"-fa@b", "x"}, {"-f", "a@b", "x"}, {"-ra@b", "x"}, {"-r", "a@b", "x"}, {"-f", "<a@b>", "x"}, {"-if", "a@b", "x"},
                              {"-tifa@b", "x"}}) {
        CHECK(parse(words).sender == "a@b");
        CHECK(parse(words).recipients == Words{"x"});
    }
    CHECK(parse({"-f", "", "x"}).sender == "");
    CHECK(parse({"-f", "<>", "x"}).sender == "");
    CHECK(parse({"-f<>", "x"}).sender == "");
    CHECK_FALSE(parse({"x"}).sender);
    CHECK(parse({"-FCronDaemon", "x"}).full_name == "CronDaemon");
    CHECK(parse({"-F", "A B", "x"}).full_name == "A B");
    CHECK(parse({"-B8BITMIME", "x"}).body == "8BITMIME");
    CHECK(parse({"-B", "7bit", "x"}).body == "7BIT");
    CHECK(parse({"-o7", "x"}).body == "7BIT");
    CHECK(parse({"-o8", "x"}).body == "8BITMIME");
    CHECK(parse({"-N", "success,delay", "x"}).notify == "SUCCESS,DELAY");
    CHECK(parse({"-Nnever", "x"}).notify == "NEVER");
    CHECK(parse({"-Rhdrs", "x"}).ret == "HDRS");
    CHECK(parse({"-V", "id-1", "x"}).envid == "id-1");
    CHECK(parse({"-C", "/etc/x", "x"}).config_folder == "/etc/x");
    CHECK(parse({"-oA/etc/a", "-bi"}).alias_file == "/etc/a");
    CHECK(parse({"-U", "x"}).utf8);
    CHECK(parse({"-O", "smtputf8=yes", "x"}).utf8);
    CHECK_FALSE(parse({"-O", "smtputf8=no", "x"}).utf8);
}

TEST_CASE("a dot, and what keeps it from ending a message")
{
    CHECK(parse({"x"}).dot_ends);
    for (const auto& words : {Words{"-i", "x"}, {"-oi", "x"}, {"-o", "i", "x"}, {"-OIgnoreDots", "x"}, {"-O", "IgnoreDots=true", "x"}, {"-ti"}, {"-it"}})
        CHECK_FALSE(parse(words).dot_ends);
    CHECK(parse({"-O", "IgnoreDots=false", "x"}).dot_ends);
}

TEST_CASE("flags that are passed over")
{
    for (const char* flag : {"-n", "-d", "-d9.1", "-m", "-om", "-oem", "-oep", "-oeq", "-oew", "-oee", "-odi", "-odb", "-odq", "-G", "-x", "-c", "-s", "-T", "-J",
                             "-E", "-v", "-Ac", "-Am", "-h3", "-pESMTP", "-Ltag", "-oMs", "-OTimeout.queuewarn=4h", "-Dlog", "-em", "-y", "-w"}) {
        CAPTURE(flag);
        CHECK(parse({flag, "x"}).recipients == Words{"x"});
        CHECK(parse({flag, "x"}).mode == Mode::deliver);
    }
    CHECK(parse({"-L", "tag", "-h", "3", "-p", "UUCP", "-e", "m", "x"}).recipients == Words{"x"});
}

TEST_CASE("values that are only warned of")
{
    for (const auto& words : {Words{"-N", "sometimes", "x"}, {"-N", "never,success", "x"}, {"-R", "all", "x"}, {"-V", "a b", "x"}, {"-V", "\n", "x"},
                              {"-V", std::string(101, 'x'), "x"}, {"-X", "/tmp/log", "x"}, {"-XV", "x"}}) {
        CAPTURE(words);
        Options options = parse(words);
        CHECK(options.warnings.size() == 1);
        CHECK(options.notify + options.ret + options.envid == "");
    }
}

TEST_CASE("part of the queue")
{
    struct Case {
        const char* flag;
        char kind;
        bool negated;
        const char* text;
    };
    for (auto [flag, kind, negated, text] : {Case{"-qIabc", 'I', false, "abc"}, {"-qRexample.org", 'R', false, "example.org"}, {"-qSann@", 'S', false, "ann@"},
                                             {"-q!Iabc", 'I', true, "abc"}, {"-q!Sann", 'S', true, "ann"}}) {
        Options options = parse({flag});
        CHECK(options.flush.kind == kind);
        CHECK(options.flush.negated == negated);
        CHECK(options.flush.text == text);
    }
    CHECK(parse({"-Qspam", "-qIabc"}).quarantine == "spam");
    CHECK(parse({"-Q", "-qIabc"}).quarantine == "");
}

TEST_CASE("recipients, and the end of flags")
{
    CHECK(parse({"a@b", "c@d"}).recipients == Words{"a@b", "c@d"});
    CHECK(parse({"-i", "--", "a@b"}).recipients == Words{"a@b"});
    CHECK(parse({"--", "-odd@b"}).recipients == Words{"-odd@b"});
    CHECK(parse({"--"}).recipients.empty());
}

TEST_CASE("what is refused")
{
    for (const auto& words : {Words{"-Z", "x"}, {"-"}, {"-B", "9BIT", "x"}, {"-f"}, {"-b"}, {"-bz"}, {"-o"}, {"-oA", "-bi"}, {"-qI"}, {"-qR"}, {"-q!"}, {"-q!x"}, {"-qz"},
                              {"x", "-t"}, {"a@b", "-f", "c@d"}, {"-bp", "x"}, {"-bi", "x"}, {"-q", "x"}, {"-bd", "x"}, {"-bs", "x"}, {"-bv", "-t"}, {"-bp", "-t"},
                              {"-O", "smtputf8=perhaps", "x"}, {"-O", "requiretls=yes", "x"}, {"-\xff", "x"}, {std::string("-\0", 2), "x"}}) {
        CAPTURE(words);
        CHECK_THROWS_AS(parse(words), Usage);
    }
}

TEST_CASE("exim's own calls")
{
    const std::string id = "4gBqk9x1yZzq";
    struct Case {
        Words words;
        EximAction action;
        Words rest;
    };
    for (const auto& [words, action, rest] : std::vector<Case>{
             {{"-bp"}, EximAction::list, {}},
             {{"-bpr"}, EximAction::list, {}},
             {{"-bpc"}, EximAction::count, {}},
             {{"-bV"}, EximAction::version, {}},
             {{"-bP"}, EximAction::settings, {}},
             {{"-bP", "primary_hostname"}, EximAction::settings, {"primary_hostname"}},
             {{"-bt", "a@b", "c@d"}, EximAction::test, {"a@b", "c@d"}},
             {{"-v", "-bv", "a@b"}, EximAction::verify, {"a@b"}},
         }) {
        auto call = parse_exim(words);
        CAPTURE(words);
        REQUIRE(call);
        CHECK(call->action == action);
        CHECK(call->words == rest);
    }
    for (const auto& words : {Words{"-t"}, {"-i", "a@b"}, {"-qff"}, {"-qf"}, {"-q"}, {"-bs"}, {"-bm", "a@b"}, {"-f", "<>", "a@b"}}) CHECK_FALSE(parse_exim(words));
    for (const auto& words : {Words{"-Mrm"}, {"-Mrm", "../../etc/passwd"}, {"-Mf", "x"}, {"-bh", "127.0.0.1"}, {"-be", "x"}, {"-Mes", id, "a@b"}, {"-bpc", "x"}}) {
        CAPTURE(words);
        CHECK_THROWS_AS(parse_exim(words), Usage);
    }
    CHECK(parse_options("exim", {"-t", "-N", "a@b"}).recipients == Words{"a@b"});
    CHECK(parse_options("exim4", {"-t"}).without_arguments);
    CHECK(is_exim_name("exim4"));
    CHECK_FALSE(is_exim_name("eximstats"));
}
