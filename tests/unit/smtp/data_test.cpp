// data: every way to write an end of data, every way to cut it into chunks, and the decoder against a plain reading of
// the rules.
#include "catch.h"

#include "smtp/data.h"

#include <optional>
#include <random>
#include <string>
#include <vector>

using smtp::BareNewline;
using smtp::Canonicalizer;
using smtp::DataDecoder;
using smtp::DotStuffer;

namespace {

struct Result {
    std::string content, rest;
    bool finished = false;
    smtp::ContentFacts facts;
    bool operator==(const Result& other) const
    {
        return content == other.content && rest == other.rest && finished == other.finished &&
               facts.lines == other.facts.lines && facts.longest_line == other.facts.longest_line &&
               facts.octets == other.facts.octets && facts.nul_count == other.facts.nul_count &&
               facts.has_8bit == other.facts.has_8bit && facts.has_leading_dot == other.facts.has_leading_dot &&
               facts.bare_newline == other.facts.bare_newline && facts.stray_cr == other.facts.stray_cr;
    }
};

Result decode(const std::vector<std::string_view>& chunks, BareNewline policy, bool replace = true)
{
    DataDecoder decoder(policy, replace);
    Result result;
    for (std::string_view chunk : chunks) {
        if (result.finished) {
            result.rest.append(chunk);
            continue;
        }
        const auto step = decoder.feed(chunk, result.content);
        result.finished = step.finished;
        result.rest.append(chunk.substr(step.consumed));
    }
    result.facts = decoder.facts();
    return result;
}

std::vector<std::string_view> bytewise(std::string_view text)
{
    std::vector<std::string_view> chunks;
    for (size_t i = 0; i < text.size(); ++i) chunks.push_back(text.substr(i, 1));
    return chunks;
}

// The rules once more, slowly: a line at a time over the whole input.
Result by_the_rules(std::string_view text, BareNewline policy)
{
    Result result;
    bool previous_bare = false;
    while (!text.empty()) {
        const size_t lf = text.find('\n');
        if (lf == std::string_view::npos) break;
        std::string line(text.substr(0, lf));
        const bool bare = line.empty() || line.back() != '\r';
        if (!bare) line.pop_back();
        text.remove_prefix(lf + 1);
        result.facts.bare_newline |= bare;
        const bool was_bare = std::exchange(previous_bare, bare);
        if (line == ".") {
            if (policy == BareNewline::accept_lines || (!bare && !was_bare)) {
                result.finished = true;
                break;
            }
            continue;
        }
        if (line[0] == '.') line.erase(0, 1);
        for (char& c : line)
            if (c == '\r') c = ' ';
        result.content += line + "\r\n";
    }
    result.rest = text;
    return result;
}

std::string show(std::string_view text)
{
    std::string out;
    for (char c : text) out += c == '\r' ? "\\r" : c == '\n' ? "\\n" : std::string(1, c);
    return out;
}

} // namespace

TEST_CASE("only CRLF.CRLF ends the data, wherever the chunks are cut", "[smtp]")
{
    struct Case {
        std::string_view input;
        bool ends_normalized, ends_accepting;
        std::string_view content; // when normalized, up to the end or all there is
    };
    const Case cases[] = {
        {"a\r\n.\r\nQUIT\r\n", true, true, "a\r\n"},
        {".\r\nQUIT\r\n", true, true, ""},
        {"a\n.\nb\r\n", false, true, "a\r\nb\r\n"},
        {"a\n.\r\nb\r\n", false, true, "a\r\nb\r\n"},
        {"a\r\n.\nb\r\n", false, true, "a\r\nb\r\n"},
        {".\nb\r\n", false, true, "b\r\n"},
        {"a\r.\r\nb\r\n", false, false, "a .\r\nb\r\n"},
        {"a\r.\rb\r\n", false, false, "a . b\r\n"},
        {"a\r\n.\rb\r\n", false, false, "a\r\n b\r\n"},
        {"a\r\n.\r\r\nb\r\n", false, false, "a\r\n \r\nb\r\n"},
        {"a\r\r\n.\r\nb", true, true, "a \r\n"},
        {"a\r\n.\0\r\nb\r\n", false, false, "a\r\n"},
        {"a\r\n..\r\nb\r\n", false, false, "a\r\n.\r\nb\r\n"},
        {"a\r\n...\r\nb\r\n", false, false, "a\r\n..\r\nb\r\n"},
        {"a\r\n.b\r\n", false, false, "a\r\nb\r\n"},
        {"a\r\n. \r\nb\r\n", false, false, "a\r\n \r\nb\r\n"},
        {"a\n\r\n.\r\nQUIT", true, true, "a\r\n\r\n"},
        {"a\n.\r\n.\r\nQUIT", true, true, "a\r\n"},
        {"a\n..\r\n.\r\nQUIT", true, true, "a\r\n.\r\n"},
        {"\n.\r\nQUIT\r\n", false, true, "\r\nQUIT\r\n"},
    };
    for (const Case& each : cases) {
        CAPTURE(show(each.input));
        for (BareNewline policy : {BareNewline::normalize, BareNewline::reject, BareNewline::accept_lines}) {
            CAPTURE(static_cast<int>(policy));
            const bool ends = policy == BareNewline::accept_lines ? each.ends_accepting : each.ends_normalized;
            const Result whole = decode({each.input}, policy);
            CHECK(whole.finished == ends);
            if (policy == BareNewline::normalize) CHECK(whole.content == each.content);
            CHECK(decode(bytewise(each.input), policy) == whole);
            for (size_t first = 0; first <= each.input.size(); ++first)
                for (size_t second = first; second <= each.input.size(); ++second)
                    CHECK(decode({each.input.substr(0, first), each.input.substr(first, second - first),
                                  each.input.substr(second)},
                                 policy) == whole);
        }
    }
}

TEST_CASE("what follows the end of data is left to the session", "[smtp]")
{
    const Result result = decode({"a\r\n.\r\nRSET\r\nQUIT\r\n"}, BareNewline::normalize);
    CHECK(result.finished);
    CHECK(result.rest == "RSET\r\nQUIT\r\n");
}

TEST_CASE("the fast decoder agrees with a plain reading of the rules on all short inputs", "[smtp]")
{
    constexpr std::string_view letters = "\r\n.a";
    for (size_t length = 0; length <= 7; ++length) {
        size_t count = 1;
        for (size_t i = 0; i < length; ++i) count *= letters.size();
        for (size_t number = 0; number < count; ++number) {
            std::string input;
            for (size_t i = 0, rest = number; i < length; ++i, rest /= letters.size())
                input += letters[rest % letters.size()];
            input += "\r\n";
            for (BareNewline policy : {BareNewline::normalize, BareNewline::accept_lines}) {
                const Result expected = by_the_rules(input, policy);
                const Result whole = decode({input}, policy);
                if (whole.content == expected.content && whole.finished == expected.finished &&
                    whole.rest == expected.rest && whole.facts.bare_newline == expected.facts.bare_newline &&
                    decode(bytewise(input), policy) == whole)
                    continue;
                CAPTURE(show(input), show(whole.content), show(expected.content));
                FAIL("decoder and rules disagree");
            }
        }
    }
}

TEST_CASE("random content comes out the same in any chunks", "[smtp]")
{
    std::mt19937 random(1);
    for (int round = 0; round < 200; ++round) {
        std::string input;
        for (int i = 0; i < 500; ++i) input += std::string_view("\r\n.ab\xc3\0\r\n\r\n\r\n", 13)[random() % 13];
        const Result whole = decode({input}, BareNewline::normalize);
        std::vector<std::string_view> chunks;
        for (std::string_view rest = input; !rest.empty();) {
            const size_t size = std::min<size_t>(rest.size(), 1 + random() % 40);
            chunks.push_back(rest.substr(0, size));
            rest.remove_prefix(size);
        }
        CHECK(decode(chunks, BareNewline::normalize) == whole);
    }
}

TEST_CASE("facts about the content", "[smtp]")
{
    using namespace std::string_view_literals;
    auto facts = decode({"ab\r\n..c\r\nlonger line\r\n.\r\n"}, BareNewline::normalize).facts;
    CHECK(facts.lines == 3);
    CHECK(facts.longest_line == 11);
    CHECK(facts.octets == 4 + 4 + 13);
    CHECK(facts.has_leading_dot);
    CHECK_FALSE(facts.has_8bit);
    CHECK_FALSE(facts.bare_newline);
    CHECK_FALSE(facts.stray_cr);

    facts = decode({"a\0b\0\r\n\xea\xb0\x80\r\n.c\r\n.\r\n"sv}, BareNewline::normalize).facts;
    CHECK(facts.nul_count == 2);
    CHECK(facts.has_8bit);
    CHECK_FALSE(facts.has_leading_dot);

    CHECK(decode({"a\rb\r\n.\r\n"}, BareNewline::normalize).facts.stray_cr);
    CHECK(decode({"a\rb\r\n.\r\n"}, BareNewline::normalize, false).content == "a\rb\r\n");
}

TEST_CASE("reject names the bare newline, also that of a lone dot", "[smtp]")
{
    for (std::string_view input : {"a\nb\r\n.\r\n", "a\r\n.\n\r\n.\r\n"}) {
        DataDecoder decoder(BareNewline::reject);
        std::string sink;
        CHECK(decoder.feed(input, sink).finished);
        CHECK(decoder.must_reject());
    }
    DataDecoder decoder(BareNewline::reject);
    std::string sink;
    CHECK(decoder.feed("a\r\n.\r\n", sink).finished);
    CHECK_FALSE(decoder.must_reject());
}

TEST_CASE("content without dots gets canonical line ends", "[smtp]")
{
    struct Case {
        std::string_view input, output;
    };
    const Case cases[] = {
        {"", ""},
        {"a", "a\r\n"},
        {"a\n", "a\r\n"},
        {"a\r\n", "a\r\n"},
        {"a\rb\n", "a b\r\n"},
        {".\n", ".\r\n"},
        {"a\n\n", "a\r\n\r\n"},
        {"a\r", "a \r\n"},
        {"\r", " \r\n"},
        {"a\r\r\n", "a \r\n"},
        {"..\n.", "..\r\n.\r\n"},
        {"\n", "\r\n"},
    };
    for (const Case& each : cases) {
        CAPTURE(show(each.input));
        for (size_t cut = 0; cut <= each.input.size(); ++cut) {
            Canonicalizer canonicalizer;
            std::string sink;
            canonicalizer.feed(each.input.substr(0, cut), sink);
            canonicalizer.feed(each.input.substr(cut), sink);
            canonicalizer.finish(sink);
            CHECK(sink == each.output);
            CHECK(canonicalizer.facts().octets == sink.size());
            CHECK(canonicalizer.facts().has_leading_dot ==
                  (sink.substr(0, 1) == "." || sink.find("\r\n.") != std::string::npos));
        }
    }
}

TEST_CASE("dots are stuffed and come off again", "[smtp]")
{
    struct Case {
        std::string_view content, wire;
    };
    const Case cases[] = {
        {"", ".\r\n"},
        {"a\r\n", "a\r\n.\r\n"},
        {".\r\n", "..\r\n.\r\n"},
        {"a\r\n.b\r\n..\r\n", "a\r\n..b\r\n...\r\n.\r\n"},
        {"a", "a\r\n.\r\n"},
        {"a\n.\nb", "a\r\n..\r\nb\r\n.\r\n"},
        {"a\r", "a\r\n.\r\n"},
    };
    for (const Case& each : cases) {
        CAPTURE(show(each.content));
        for (size_t cut = 0; cut <= each.content.size(); ++cut) {
            DotStuffer stuffer;
            std::string wire;
            stuffer.feed(each.content.substr(0, cut), wire);
            stuffer.feed(each.content.substr(cut), wire);
            stuffer.finish(wire);
            CHECK(wire == each.wire);
        }
    }
    std::mt19937 random(7);
    for (int round = 0; round < 300; ++round) {
        std::string content;
        for (int i = 0; i < 40; ++i) content += std::vector<std::string>{"\r\n", ".", "ab", "\r\n."}[random() % 4];
        content += "\r\n";
        DotStuffer stuffer;
        std::string wire;
        for (size_t at = 0; at < content.size();) {
            const size_t size = 1 + random() % 9;
            stuffer.feed(std::string_view(content).substr(at, size), wire);
            at += size;
        }
        stuffer.finish(wire);
        const Result back = decode({wire}, BareNewline::reject);
        CHECK(back.finished);
        CHECK(back.content == content);
        CHECK_FALSE(back.facts.bare_newline);
    }
}

TEST_CASE("long lines are broken with CRLF SPACE", "[smtp]")
{
    for (size_t cut = 0; cut <= 26; ++cut) {
        DotStuffer stuffer(10);
        std::string wire;
        const std::string_view content = "0123456789\r\n0123456789abcd";
        stuffer.feed(content.substr(0, cut), wire);
        stuffer.feed(content.substr(cut), wire);
        stuffer.finish(wire);
        CHECK(wire == "0123456789\r\n0123456789\r\n abcd\r\n.\r\n");
    }
    DotStuffer narrow(1);
    std::string wire;
    narrow.feed("abc", wire);
    narrow.finish(wire);
    CHECK(wire == "ab\r\n c\r\n.\r\n");
}
