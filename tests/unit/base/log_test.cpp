// Log lines: Postfix's form, one line an event, whatever is in it.
#include "base/log.h"

#include "base/fd.h"
#include "base/text.h"
#include "catch.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <regex>

namespace {

struct LogFile {
    LogFile()
    {
        char pattern[] = "/tmp/log-test.XXXXXX";
        folder = ::mkdtemp(pattern);
        base::log::open("postfix/smtpd", folder + "/log");
    }
    ~LogFile()
    {
        base::log::to_stderr("test");
        std::filesystem::remove_all(folder);
    }
    std::vector<std::string> lines() const
    {
        base::log::flush();
        std::vector<std::string> found;
        std::string text = base::read_file(folder + "/log");
        for (auto line : base::split(text, "\n")) found.emplace_back(line);
        return found;
    }
    std::string folder;
};

} // namespace

TEST_CASE("a log line has Postfix's form", "[base]")
{
    LogFile log;
    base::log::info("{}: client={}", "4gBqk9", "mx[192.0.2.1]");
    base::log::warning("careful");
    base::log::error("broken");
    base::log::fatal("the end");
    base::log::info_as("cleanup", "4gBqk9: message-id=<a@b>");
    const char* texts[] = {"smtpd\\[PID\\]: 4gBqk9: client=mx\\[192\\.0\\.2\\.1\\]", "smtpd\\[PID\\]: warning: careful", "smtpd\\[PID\\]: error: broken",
                           "smtpd\\[PID\\]: fatal: the end", "cleanup\\[PID\\]: 4gBqk9: message-id=<a@b>"};
    auto lines = log.lines();
    REQUIRE(lines.size() == 5);
    for (size_t i = 0; i < 5; ++i) {
        std::string expected = "^(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ 123][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2} [^ .]+ postfix/" +
                               base::replace_all(texts[i], "PID", std::to_string(::getpid())) + "$";
        CAPTURE(lines[i], expected);
        CHECK(std::regex_match(lines[i], std::regex(expected)));
    }
}

TEST_CASE("nobody can write a second line into the log", "[base]")
{
    LogFile log;
    base::log::info("helo=<{}>", "x>\nNov 22 00:00:00 host postfix/smtpd[1]: forged\x1b[2J");
    base::log::info("{}", std::string(100000, 'x'));
    base::log::info("{}", std::string("a\0b\xff", 4));
    auto lines = log.lines();
    REQUIRE(lines.size() == 3);
    CHECK(lines[0].find("helo=<x>?Nov 22 00:00:00 host postfix/smtpd[1]: forged?[2J>") != std::string::npos);
    CHECK(lines[1].size() < 2200);
    CHECK(lines[2].find(": a?b?") != std::string::npos);
}

TEST_CASE("lines are gathered until they are flushed, warnings are not", "[base]")
{
    LogFile log;
    base::log::info("one");
    CHECK(base::read_file(log.folder + "/log").empty());
    base::log::warning("two");
    CHECK(log.lines().size() == 2);
    std::string line(1000, 'x');
    for (int i = 0; i < 200; ++i) base::log::info("{}", line);
    CHECK(base::read_file(log.folder + "/log").size() > 100000);
    CHECK(log.lines().size() == 202);
}

TEST_CASE("debugging is silent until it is asked for", "[base]")
{
    LogFile log;
    base::log::debug("no");
    base::log::set_verbose(true);
    base::log::debug("yes");
    base::log::set_verbose(false);
    CHECK(log.lines().size() == 1);
}

TEST_CASE("the log goes on in a new file after rotation", "[base]")
{
    LogFile log;
    base::log::info("old");
    base::log::flush();
    std::filesystem::rename(log.folder + "/log", log.folder + "/log.1");
    base::log::info("gathered before");
    base::log::open("postfix/smtpd", log.folder + "/log");
    base::log::info("new");
    CHECK(log.lines().size() == 1);
    CHECK(base::split(base::read_file(log.folder + "/log.1"), "\n").size() == 2);
    CHECK(base::log::descriptor() >= 0);
    CHECK_THROWS_AS(base::log::open("x", "/nonexistent/log"), base::SystemError);
}

TEST_CASE("a full disk stops no mail", "[base]")
{
    LogFile log;
    base::log::open("postfix/smtpd", "/dev/full");
    base::log::warning("lost");
    base::log::flush();
}
