// A dialogue in a file: read as if a client spoke it, the replies kept.
#include "file_stream.h"

#include "../async/run_task.h"
#include "../spool/scratch.h"
#include "catch.h"

namespace {

async::Task<std::string> read_all(net::Stream& stream)
{
    std::string text;
    while (true) {
        bool more = co_await stream.fill_or_end(std::chrono::seconds(5));
        if (!more) co_return text;
        text += stream.buffered();
        stream.consume(stream.buffered().size());
    }
}

async::Task<> send(net::Stream& stream, std::string bytes) { co_await stream.send(bytes, std::chrono::seconds(5)); }

} // namespace

TEST_CASE("a file is read to its end, whatever its size", "[smtpd]")
{
    for (size_t size : {size_t{0}, size_t{1}, size_t{65536}, size_t{65537}, size_t{1000000}}) {
        CAPTURE(size);
        Scratch scratch;
        std::string text(size, 'x');
        base::replace_file(scratch / "file", text, 0600);
        net::Stream stream = smtpd::stream_over_file(base::open_file(scratch / "file", O_RDONLY));
        bool same = run_task(read_all(stream)) == text;
        CHECK(same);
    }
}

TEST_CASE("replies are kept, within reason, and the file is not touched", "[smtpd]")
{
    Scratch scratch;
    base::replace_file(scratch / "file", "QUIT\r\n", 0600);
    net::Stream stream = smtpd::stream_over_file(base::open_file(scratch / "file", O_RDWR));
    auto written = [&] { return static_cast<smtpd::FileTransport*>(stream.transport())->written(); };
    run_task(send(stream, "220 hello\r\n"));
    CHECK(written() == "220 hello\r\n");
    for (int i = 0; i < 100; ++i) run_task(send(stream, std::string(5000, 'y')));
    CHECK(written().size() < 100000);
    CHECK(base::read_file(scratch / "file") == "QUIT\r\n");
}

TEST_CASE("what can't be read ends the dialogue", "[smtpd]")
{
    net::Stream stream = smtpd::stream_over_file(base::open_file("/tmp", O_RDONLY | O_DIRECTORY));
    CHECK_THROWS_AS(run_task(read_all(stream)), net::Gone);
}
