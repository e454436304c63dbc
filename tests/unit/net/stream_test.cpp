// Streams over socket pairs: lines cut anywhere, limits, peers that go or read slowly.
#include "net/stream.h"

#include "../async/run_task.h"
#include "catch.h"

#include <sys/socket.h>

#include <array>
#include <vector>

using async::Task;
using net::Gone;
using net::Limit;
using net::Stream;

namespace {

constexpr Limit patience{10000};

struct Ends {
    Ends()
    {
        int both[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both) == 0);
        ours = Stream(base::Fd(both[0]), net::Address::unix_path(""));
        theirs = base::Fd(both[1]);
    }
    void send(std::string_view bytes) { base::write_all(theirs.get(), bytes, "peer"); }
    std::string read_some(size_t most = 1 << 20)
    {
        std::string bytes(most, '\0');
        ssize_t got = ::recv(theirs.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
        bytes.resize(got > 0 ? static_cast<size_t>(got) : 0);
        return bytes;
    }
    Stream ours;
    base::Fd theirs;
};

// Lines until the end; "<too long>", "<closed>" and "<timed out>" where they came.
Task<std::vector<std::string>> read_lines(Stream& stream, size_t longest, Limit limit)
{
    std::vector<std::string> lines;
    while (true) {
        std::string line;
        try {
            std::string_view view = co_await stream.line(limit, longest);
            line = view;
        } catch (const net::LineTooLong&) {
            line = "<too long>";
        } catch (const Gone& gone) {
            line = gone.why() == Gone::closed ? "<closed>" : gone.why() == Gone::timed_out ? "<timed out>" : "<failed>";
        }
        lines.push_back(line);
        if (line == "<closed>" || line == "<timed out>" || line == "<failed>") co_return lines;
    }
}

Task<std::string> read_exactly(Stream& stream, size_t bytes, Limit limit)
{
    std::string_view view = co_await stream.exactly(bytes, limit);
    co_return std::string(view);
}

Task<bool> fill_or_end(Stream& stream, Limit limit)
{
    bool more = co_await stream.fill_or_end(limit);
    co_return more;
}

Task<> fill(Stream& stream, Limit limit) { co_await stream.fill(limit); }
Task<> flush(Stream& stream, Limit limit) { co_await stream.flush(limit); }
Task<> send(Stream& stream, std::string bytes, Limit limit) { co_await stream.send(bytes, limit); }
Task<> close(Stream& stream, Limit limit) { co_await stream.close(limit); }

Gone::Why why(Task<> task)
{
    try {
        run_task(std::move(task));
    } catch (const Gone& gone) {
        return gone.why();
    }
    FAIL("nothing was thrown");
    return Gone::failed;
}

} // namespace

TEST_CASE("lines come whole however they are cut", "[net]")
{
    std::string text = "EHLO a\r\nsecond\n\r\n\nwith \r inside\r\n" + std::string(20, 'x') + "\r\nlast\r\n";
    std::vector<std::string> expected = {"EHLO a", "second", "", "", "with \r inside", std::string(20, 'x'), "last", "<closed>"};
    for (size_t cut = 0; cut <= text.size(); ++cut) {
        CAPTURE(cut);
        Ends ends;
        auto task = read_lines(ends.ours, 100, patience);
        ends.send(text.substr(0, cut));
        task.start();
        run_rounds(1);
        ends.send(text.substr(cut));
        ends.theirs.reset();
        REQUIRE(run_until([&] { return task.done(); }));
        CHECK(task.take() == expected);
    }
    Ends ends;
    auto task = read_lines(ends.ours, 100, patience);
    task.start();
    for (char c : text) {
        ends.send(std::string(1, c));
        run_rounds(1);
    }
    ends.theirs.reset();
    REQUIRE(run_until([&] { return task.done(); }));
    CHECK(task.take() == expected);
}

TEST_CASE("lines that are too long are thrown away up to their end", "[net]")
{
    struct Case {
        size_t length;      // without CRLF; the limit of 100 includes CR
        bool too_long;
    };
    for (const auto& c : {Case{98, false}, Case{99, false}, Case{100, true}, Case{101, true}, Case{500000, true}})
        for (size_t piece : {size_t{1 << 16}, size_t{64}, size_t{1}}) {
            if (c.length / piece > 10000) continue;
            CAPTURE(c.length, piece);
            Ends ends;
            std::string text = std::string(c.length, 'x') + "\r\nnext\r\n";
            auto task = read_lines(ends.ours, 100, patience);
            task.start();
            for (size_t at = 0; at < text.size(); at += piece) {
                ends.send(text.substr(at, piece));
                run_rounds(1);
                CHECK(ends.ours.buffered().size() < (1 << 17));
            }
            ends.theirs.reset();
            REQUIRE(run_until([&] { return task.done(); }));
            CHECK(task.take() == std::vector<std::string>{c.too_long ? "<too long>" : std::string(c.length, 'x'), "next", "<closed>"});
        }
}

TEST_CASE("a peer that goes in the middle of a line, or stays silent", "[net]")
{
    Ends gone;
    gone.send("QUI");
    gone.theirs.reset();
    CHECK(run_task(read_lines(gone.ours, 100, patience)) == std::vector<std::string>{"<closed>"});
    Ends silent;
    silent.send("one\r\ntw");
    CHECK(run_task(read_lines(silent.ours, 100, Limit(20))) == std::vector<std::string>{"one", "<timed out>"});
    silent.send("o\r\n");
    silent.theirs.reset();      // giving up has lost nothing
    CHECK(run_task(read_lines(silent.ours, 100, patience)) == std::vector<std::string>{"two", "<closed>"});
}

TEST_CASE("bytes are filled in, consumed, and taken exactly", "[net]")
{
    Ends ends;
    ends.send("0123456789");
    CHECK(run_task(read_exactly(ends.ours, 4, patience)) == "0123");
    CHECK(ends.ours.buffered() == "456789");
    ends.ours.consume(2);
    CHECK(ends.ours.buffered() == "6789");
    auto task = read_exactly(ends.ours, 6, patience);
    task.start();
    CHECK_FALSE(task.done());
    ends.send("abc");
    REQUIRE(run_until([&] { return task.done(); }));
    CHECK(task.take() == "6789ab");
    ends.ours.consume(1);
    CHECK(ends.ours.buffered().empty());
    CHECK_FALSE(ends.ours.has_line());
    ends.ours.preload("x\ny");
    CHECK(ends.ours.has_line());
    CHECK(ends.ours.ready());
    ends.ours.consume(3);
    ends.send("more");
    CHECK(run_task(fill_or_end(ends.ours, patience)));
    ends.theirs.reset();
    CHECK_FALSE(run_task(fill_or_end(ends.ours, patience)));
    CHECK_FALSE(run_task(fill_or_end(ends.ours, patience)));
    CHECK(why(fill(ends.ours, patience)) == Gone::closed);
}

TEST_CASE("what is buffered can be asked for at any time, also after a large read and its end", "[net]")
{
    Ends ends;
    ends.send(std::string(20000, 'x') + "\n");
    CHECK(run_task(read_exactly(ends.ours, 20001, patience)).size() == 20001);
    auto task = fill_or_end(ends.ours, patience);
    task.start();
    CHECK(ends.ours.buffered().empty());
    CHECK_FALSE(ends.ours.has_line());
    ends.theirs.reset();
    REQUIRE(run_until([&] { return task.done(); }));
    CHECK_FALSE(task.take());
    CHECK(ends.ours.buffered().empty());
}

TEST_CASE("looking for bytes does not wait", "[net]")
{
    Ends ends;
    CHECK_FALSE(ends.ours.try_fill());
    ends.send("x");
    CHECK(ends.ours.try_fill());
    CHECK(ends.ours.buffered() == "x");
    CHECK_FALSE(ends.ours.try_fill());
    ends.theirs.reset();
    CHECK_THROWS_AS(ends.ours.try_fill(), Gone);
}

TEST_CASE("what the peer sent ahead of STARTTLS is thrown away", "[net]")
{
    Ends ends;
    ends.send("STARTTLS\r\nMAIL FROM:<evil>\r\n");
    CHECK(run_task(fill_or_end(ends.ours, patience)));
    CHECK(ends.ours.discard_buffered());
    CHECK(ends.ours.buffered().empty());
    CHECK_FALSE(ends.ours.discard_buffered());
}

TEST_CASE("what is written is gathered until it is flushed", "[net]")
{
    Ends ends;
    ends.ours.write("220 ");
    ends.ours.write("hello\r\n");
    CHECK(ends.read_some().empty());
    CHECK(ends.ours.unsent() == 11);
    run_task(flush(ends.ours, patience));
    CHECK(ends.ours.unsent() == 0);
    CHECK(ends.read_some() == "220 hello\r\n");
    ends.ours.write("a");
    run_task(send(ends.ours, "b", patience));
    run_task(send(ends.ours, std::string(10000, 'c'), patience));
    CHECK(ends.read_some() == "ab" + std::string(10000, 'c'));
}

TEST_CASE("who writes to a slow reader waits, and gets through in the end", "[net]")
{
    Ends ends;
    std::string large(8 << 20, '\0');
    for (size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 7 >> 3);
    auto task = send(ends.ours, large, patience);
    task.start();
    run_rounds(10);
    CHECK_FALSE(task.done());
    CHECK(ends.ours.unsent() == 0);     // the stream holds no copy
    std::string got;
    bool all = run_until([&] {
        got += ends.read_some(100000);
        return got.size() == large.size();
    });
    REQUIRE(all);
    bool same = got == large;
    CHECK(same);
    CHECK(run_until([&] { return task.done(); }));
}

TEST_CASE("who writes to a peer that does not read gives up after the limit", "[net]")
{
    Ends ends;
    CHECK(why(send(ends.ours, std::string(8 << 20, 'x'), Limit(20))) == Gone::timed_out);
    Ends gone;
    gone.theirs.reset();
    CHECK(why(send(gone.ours, "x", patience)) == Gone::failed);
}

TEST_CASE("closing sends the last words and ends with the limit", "[net]")
{
    Ends ends;
    ends.ours.write("221 Bye\r\n");
    run_task(close(ends.ours, patience));
    CHECK_FALSE(ends.ours);
    CHECK(ends.read_some() == "221 Bye\r\n");
    char byte;
    CHECK(::recv(ends.theirs.get(), &byte, 1, 0) == 0);
    run_task(close(ends.ours, patience));       // twice is once
    Ends slow;
    slow.ours.write(std::string(8 << 20, 'x'));
    run_task(close(slow.ours, Limit(20)));
    CHECK_FALSE(slow.ours);
    Ends gone;
    gone.ours.write("x");
    gone.theirs.reset();
    run_task(close(gone.ours, patience));
    CHECK_FALSE(gone.ours);
}

TEST_CASE("a read that is destroyed while it waits leaves the stream as it was", "[net]")
{
    Ends ends;
    ends.send("hal");
    {
        auto task = read_lines(ends.ours, 100, patience);
        task.start();
        run_rounds(2);
    }
    ends.send("f\r\n");
    ends.theirs.reset();
    CHECK(run_task(read_lines(ends.ours, 100, patience)) == std::vector<std::string>{"half", "<closed>"});
}

TEST_CASE("a connection is handed on with its descriptor", "[net]")
{
    Ends ends;
    base::Fd fd = ends.ours.release();
    CHECK_FALSE(ends.ours);
    base::write_all(fd.get(), "still here", "socket");
    CHECK(ends.read_some() == "still here");
    Stream again(std::move(fd), net::Address::unix_path(""));
    ends.send("line\n");
    ends.theirs.reset();
    CHECK(run_task(read_lines(again, 100, patience)) == std::vector<std::string>{"line", "<closed>"});
}
