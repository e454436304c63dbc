// The PROXY protocol: headers that are taken, and those that are not.
#include "net/proxy_protocol.h"

#include "../async/run_task.h"
#include "catch.h"

#include <sys/socket.h>
#include <unistd.h>

using namespace std::string_literals;

namespace {

const std::string signature = "\r\n\r\n\0\r\nQUIT\n"s;

std::string v2(char command, char family, const std::string& body)
{
    return signature + command + family + static_cast<char>(body.size() >> 8) + static_cast<char>(body.size()) + body;
}

const std::string four = "\xc0\x00\x02\x01\x7f\x00\x00\x01\x12\x34\x00\x19"s;
const std::string six = "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x01" + std::string(15, '\0') + "\x01\x12\x34\x00\x19"s;

std::string told(const std::string& header)
{
    try {
        auto found = net::parse_proxy_header(header);
        return found.local ? "local" : found.client.text() + " " + found.server.text();
    } catch (const net::BadProxyHeader& fault) {
        return std::string("bad: ") + fault.what();
    }
}

async::Task<std::string> read_and_go_on(net::Stream& stream)
{
    auto header = co_await net::read_proxy_header(stream, std::chrono::seconds(5));
    std::string text = header.local ? "local" : header.client.text();
    co_await stream.fill(std::chrono::seconds(5));
    co_return text + "|" + std::string(stream.buffered());
}

} // namespace

TEST_CASE("proxy headers", "[net]")
{
    struct Case {
        std::string header, told;
    };
    const Case cases[] = {
        {"PROXY TCP4 192.0.2.1 127.0.0.1 4660 25\r\n", "[192.0.2.1]:4660 [127.0.0.1]:25"},
        {"PROXY TCP6 2001:db8::1 ::1 4660 25\r\n", "[2001:db8::1]:4660 [::1]:25"},
        {"PROXY UNKNOWN\r\n", "local"},
        {"PROXY UNKNOWN 192.0.2.1 127.0.0.1 4660 25\r\n", "local"},
        {"PROXY TCP4 192.0.2.1 127.0.0.1 4660 25\n", "bad: unrecognized protocol header"},
        {"PROXY TCP5 192.0.2.1 127.0.0.1 4660 25\r\n", "bad: unsupported network protocol"},
        {"PROXY TCP4 2001:db8::1 ::1 4660 25\r\n", "bad: missing or bad address in proxy header"},
        {"PROXY TCP4 192.0.2.1 127.0.0.1 4660 70000\r\n", "bad: missing or bad port in proxy header"},
        {"PROXY TCP4 192.0.2.1 127.0.0.1 4660\r\n", "bad: missing or bad address in proxy header"},
        {"PROXY TCP4 192.0.2 127.0.0.1 4660 25\r\n", "bad: missing or bad address in proxy header"},
        {"PROXY  TCP4 192.0.2.1 127.0.0.1 4660 25\r\n", "bad: unsupported network protocol"},
        {"EHLO client.example.org\r\n", "bad: unrecognized protocol header"},
        {"", "bad: short protocol header"},
        {v2(0x21, 0x11, four), "[192.0.2.1]:4660 [127.0.0.1]:25"},
        {v2(0x21, 0x21, six), "[2001:db8::1]:4660 [::1]:25"},
        {v2(0x21, 0x11, four + "\x04\x00\x01x"s), "[192.0.2.1]:4660 [127.0.0.1]:25"},
        {v2(0x20, 0x00, ""), "local"},
        {v2(0x20, 0x11, four), "local"},
        {v2(0x21, 0x11, four.substr(0, 11)), "bad: short address field"},
        {v2(0x21, 0x21, four), "bad: short address field"},
        {v2(0x21, 0x31, four), "bad: unsupported network protocol"},
        {v2(0x22, 0x11, four), "bad: bad command in proxy header"},
        {v2(0x11, 0x11, four), "bad: unrecognized protocol version"},
        {v2(0x21, 0x11, four).substr(0, 20), "bad: short protocol header"},
        {v2(0x21, 0x11, std::string(5000, 'x')), "bad: proxy header too long"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.header);
        CHECK(told(c.header) == c.told);
    }
}

TEST_CASE("a proxy header is read to its last byte and no further", "[net]")
{
    for (const std::string& header : {"PROXY TCP4 192.0.2.1 127.0.0.1 4660 25\r\n"s, v2(0x21, 0x11, four), "PROXY UNKNOWN\r\n"s})
        for (size_t cut : {size_t{0}, size_t{1}, size_t{14}, size_t{15}, header.size()}) {
            CAPTURE(header, cut);
            int both[2];
            REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both) == 0);
            base::Fd proxy(both[1]);
            net::Stream stream(base::Fd(both[0]), net::Address::unix_path(""));
            std::string bytes = header + "EHLO";
            base::write_all(proxy.get(), bytes.substr(0, cut), "proxy");
            auto task = read_and_go_on(stream);
            task.start();
            run_rounds();
            base::write_all(proxy.get(), bytes.substr(cut), "proxy");
            REQUIRE(run_until([&] { return task.done(); }));
            CHECK(task.take() == (header == "PROXY UNKNOWN\r\n" ? "local|EHLO" : "[192.0.2.1]:4660|EHLO"));
        }
}

TEST_CASE("a line without end is no proxy header", "[net]")
{
    int both[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both) == 0);
    base::Fd proxy(both[1]);
    net::Stream stream(base::Fd(both[0]), net::Address::unix_path(""));
    base::write_all(proxy.get(), "PROXY " + std::string(1000, 'x'), "proxy");
    CHECK_THROWS_AS(run_task(net::read_proxy_header(stream, std::chrono::seconds(5))), net::BadProxyHeader);
    proxy.reset();
}
