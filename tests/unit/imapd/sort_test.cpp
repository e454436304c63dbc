// SORT, THREAD and ESEARCH as values: RFC 5256's and RFC 4731's examples, and mail that means no good.
#include "catch.h"

#include "search_return.h"
#include "sort.h"
#include "thread.h"

#include "mail/base_subject.h"

#include <cstdio>

using namespace imapd;

namespace {

Headline line(uint32_t uid, const std::string& id, std::vector<std::string> references = {}, const std::string& subject = "")
{
    std::string header;
    if (!id.empty()) header += "Message-ID: <" + id + ">\r\n";
    if (!references.empty()) {
        header += "References:";
        for (const auto& one : references) header += " <" + one + ">";
        header += "\r\n";
    }
    if (!subject.empty()) header += "Subject: " + subject + "\r\n";
    Headline made = headline_of(header, 1000 + uid);
    made.uid = uid;
    return made;
}

std::string threaded(const std::vector<Headline>& lines, ThreadAlgorithm algorithm = ThreadAlgorithm::references)
{
    return threads_text(make_threads(lines, algorithm), [&](size_t index) { return lines[index].uid; });
}

SearchReturn wanted(const std::string& text)
{
    Arguments arguments(text);
    return parse_search_return(arguments);
}

std::string answered(const std::string& options, const std::vector<uint32_t>& numbers, bool by_uid = false)
{
    return esearch_text({"A282", by_uid, std::nullopt}, wanted(" RETURN (" + options + ") ALL"), numbers);
}

} // namespace

TEST_CASE("a base subject is what replies and forwards leave", "[imapd]")
{
    struct Case {
        std::string subject, base;
        bool reply;
    };
    for (const Case& one : std::vector<Case>{{"hello", "hello", false},
                                             {"Re: hello", "hello", true},
                                             {"RE: Fwd:  Fw : hello ", "hello", true},
                                             {"Re[2]: hello", "hello", true},
                                             {"Re [list] : hello", "hello", true},
                                             {"[list] Re: hello", "hello", true},
                                             {"[list] [other] hello", "hello", false},
                                             {"[only]", "[only]", false},
                                             {"hello (fwd) (Fwd)", "hello", true},
                                             {"[fwd: Re: hello]", "hello", true},
                                             {"a  b\t c", "a b c", false},
                                             {"=?utf-8?q?Re:_gr=C3=BC=C3=9Fe?=", "grüße", true},
                                             {"regarding", "regarding", false},
                                             {"re", "re", false},
                                             {"", "", false},
                                             {"Re:", "", true}}) {
        CAPTURE(one.subject);
        CHECK(mail::base_subject(one.subject) == mail::BaseSubject{one.base, one.reply});
    }
    std::string long_one;
    for (int i = 0; i < 10000; ++i) long_one += "re: [x] ";
    CHECK(mail::base_subject(long_one).text == "[x]");
}

TEST_CASE("threads by references", "[imapd]")
{
    CHECK(threaded({}).empty());
    CHECK(threaded({line(2, "a"), line(3, "b")}) == "(2)(3)");
    CHECK(threaded({line(1, "a"), line(2, "b", {"a"}), line(3, "c", {"a", "b"})}) == "(1 2 3)");
    CHECK(threaded({line(1, "a"), line(2, "b", {"a"}), line(3, "c", {"a"})}) == "(1 (2)(3))");
    // The parent is not there.
    CHECK(threaded({line(2, "b", {"a"}), line(3, "c", {"a"})}) == "((2)(3))");
    CHECK(threaded({line(2, "b", {"a"})}) == "(2)");
    CHECK(threaded({line(1, "a"), line(3, "c", {"a", "b"})}) == "(1 3)");
    // A reply that came first.
    CHECK(threaded({line(1, "b", {"a"}), line(2, "a")}) == "(2 1)");
    // Two messages of one id, and none.
    CHECK(threaded({line(1, "a"), line(2, "a"), line(3, "")}) == "(1)(2)(3)");
    // In circles.
    CHECK(threaded({line(1, "a", {"b"}), line(2, "b", {"a"})}) == "(2 1)");
    CHECK(threaded({line(1, "a", {"a"})}) == "(1)");
    CHECK(threaded({line(1, "a", {"b", "c", "b"}), line(2, "c", {"a"})}).find('2') != std::string::npos);
}

TEST_CASE("threads of one subject are joined", "[imapd]")
{
    CHECK(threaded({line(1, "a", {}, "hello"), line(2, "b", {}, "Re: hello")}) == "(1 2)");
    CHECK(threaded({line(1, "a", {}, "Re: hello"), line(2, "b", {}, "hello")}) == "(2 1)");
    CHECK(threaded({line(1, "a", {}, "hello"), line(2, "b", {}, "hello")}) == "((1)(2))");
    CHECK(threaded({line(1, "a", {}, "Re: hello"), line(2, "b", {}, "Re: hello")}) == "((1)(2))");
    CHECK(threaded({line(1, "a", {}, "hello"), line(2, "b", {}, "other")}) == "(1)(2)");
    CHECK(threaded({line(2, "b", {"a"}, "hello"), line(3, "c", {"a"}, "hello"), line(4, "d", {}, "Re: hello")}) == "((2)(3)(4))");
    auto refs = ThreadAlgorithm::refs;
    CHECK(threaded({line(1, "a", {}, "hello"), line(2, "b", {}, "Re: hello")}, refs) == "(1)(2)");
    CHECK(threaded({line(1, "a"), line(2, "b"), line(3, "c", {"a"})}, refs) == "(2)(1 3)");
}

TEST_CASE("threads by ordered subject", "[imapd]")
{
    auto algorithm = ThreadAlgorithm::ordered_subject;
    CHECK(threaded({line(1, "", {}, "x"), line(2, "", {}, "y"), line(3, "", {}, "Re: x"), line(4, "", {}, "x")}, algorithm) == "(1 (3)(4))(2)");
    CHECK(threaded({line(1, "", {}, "x"), line(2, "", {}, "x")}, algorithm) == "(1 2)");
}

TEST_CASE("a conversation of a hundred thousand replies is no harder", "[imapd]")
{
    std::vector<Headline> lines;
    for (uint32_t i = 1; i <= 20000; ++i)
        lines.push_back(line(i, std::to_string(i), i > 1 ? std::vector{std::to_string(i - 1)} : std::vector<std::string>{}));
    std::string text = threaded(lines);
    CHECK(text.starts_with("(1 2 3 "));
    CHECK(text.ends_with(" 20000)"));
    lines.clear();
    for (uint32_t i = 1; i <= 20000; ++i) lines.push_back(line(i, std::to_string(i), {}, "same"));
    CHECK(threaded(lines).size() > 20000);
}

TEST_CASE("sorting by several keys", "[imapd]")
{
    auto sorted = [](const std::string& program, const std::vector<std::string>& headers) {
        std::vector<Headline> lines;
        for (const auto& header : headers) {
            lines.push_back(headline_of(header, 1'000'000));
            lines.back().uid = static_cast<uint32_t>(lines.size());
            lines.back().size = header.size();
        }
        Arguments arguments(program);
        sort_headlines(lines, parse_sort_program(arguments));
        std::string order;
        for (const auto& one : lines) order += std::to_string(one.uid);
        return order;
    };
    std::vector<std::string> headers{"Subject: Re: b\r\nFrom: z@x\r\nDate: Mon, 7 Feb 1994 21:52:25 -0800\r\n",
                                     "Subject: a\r\nFrom: Anna <y@x>\r\nDate: Mon, 7 Feb 1994 21:52:25 +0000\r\n", "Subject: B\r\n"};
    CHECK(sorted("(SUBJECT)", headers) == "213");
    CHECK(sorted("(REVERSE SUBJECT)", headers) == "132");
    CHECK(sorted("(SUBJECT REVERSE DATE)", headers) == "213");
    CHECK(sorted("(DATE)", headers) == "321");
    CHECK(sorted("(FROM)", headers) == "321");
    CHECK(sorted("(DISPLAYFROM)", headers) == "321");
    CHECK(sorted("(ARRIVAL)", headers) == "123");
    CHECK(sorted("(reverse size)", headers) == "213");
    for (std::string bad : {"()", "(NAME)", "(REVERSE)", "(DATE", "DATE", "(DATE  SIZE)"}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(sorted(bad, headers), Bad);
    }
}

TEST_CASE("ESEARCH answers what was asked", "[imapd]")
{
    CHECK(answered("MIN COUNT", {2, 4, 5, 6}) == "(TAG \"A282\") MIN 2 COUNT 4");
    CHECK(answered("", {2, 10, 11}) == "(TAG \"A282\") ALL 2,10:11");
    CHECK(answered("MIN MAX", {2, 10, 11}, true) == "(TAG \"A282\") UID MIN 2 MAX 11");
    CHECK(answered("MIN MAX ALL COUNT", {}) == "(TAG \"A282\") COUNT 0");
    CHECK(answered("PARTIAL 1:2 COUNT", {4, 7, 9}) == "(TAG \"A282\") COUNT 3 PARTIAL (1:2 4,7)");
    CHECK(answered("PARTIAL -1:-2", {4, 7, 9}) == "(TAG \"A282\") PARTIAL (-1:-2 7,9)");
    CHECK(answered("PARTIAL 3:2", {4, 7, 9}) == "(TAG \"A282\") PARTIAL (3:2 7,9)");
    CHECK(answered("PARTIAL 4:5", {4, 7, 9}) == "(TAG \"A282\") PARTIAL (4:5 NIL)");
    CHECK(answered("PARTIAL -3:-500", {4, 7, 9}) == "(TAG \"A282\") PARTIAL (-3:-500 4)");
    CHECK(!wanted(" ALL").extended);
    CHECK(!wanted(" RETURN (SAVE) ALL").tells_something());
    for (std::string bad : {" RETURN (FOO) ALL", " RETURN (MIN", " RETURN ALL", " RETURN (PARTIAL 0:1) ALL", " RETURN (PARTIAL 1:-2) ALL",
                            " RETURN (ALL PARTIAL 1:2) ALL"}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(wanted(bad), Bad);
    }
    CHECK(to_be_saved(wanted(" RETURN (SAVE MIN) ALL"), {3, 4, 5}) == std::vector<uint32_t>{3});
    CHECK(to_be_saved(wanted(" RETURN (SAVE MIN MAX) ALL"), {3, 4, 5}) == std::vector<uint32_t>{3, 5});
    CHECK(to_be_saved(wanted(" RETURN (SAVE MIN COUNT) ALL"), {3, 4, 5}) == std::vector<uint32_t>{3, 4, 5});
}
