#include "net/proxy_protocol.h"

#include "base/text.h"

#include <netinet/in.h>

#include <cstring>

namespace net {
namespace {

constexpr std::string_view v2_signature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr size_t v2_fixed = 16, v1_longest = 107;
// What may follow the addresses of version 2 (TLVs): certificates' names and the like.
constexpr size_t v2_longest = 4096;

unsigned byte(std::string_view text, size_t at) { return static_cast<unsigned char>(text[at]); }

Address ipv4(std::string_view address, std::string_view port)
{
    sockaddr_in in{};
    in.sin_family = AF_INET;
    std::memcpy(&in.sin_addr, address.data(), 4);
    std::memcpy(&in.sin_port, port.data(), 2);
    return Address(reinterpret_cast<sockaddr*>(&in), sizeof in);
}

Address ipv6(std::string_view address, std::string_view port)
{
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    std::memcpy(&in.sin6_addr, address.data(), 16);
    std::memcpy(&in.sin6_port, port.data(), 2);
    return Address(reinterpret_cast<sockaddr*>(&in), sizeof in);
}

ProxyHeader parse_v2(std::string_view header)
{
    unsigned command = byte(header, 12) & 0xf, family = byte(header, 13);
    std::string_view body = header.substr(v2_fixed);
    if (command == 0) return {true, {}, {}};
    if (command != 1) throw BadProxyHeader("bad command in proxy header");
    if (family == 0x11) {
        if (body.size() < 12) throw BadProxyHeader("short address field");
        return {false, ipv4(body.substr(0, 4), body.substr(8, 2)), ipv4(body.substr(4, 4), body.substr(10, 2))};
    }
    if (family == 0x21) {
        if (body.size() < 36) throw BadProxyHeader("short address field");
        return {false, ipv6(body.substr(0, 16), body.substr(32, 2)), ipv6(body.substr(16, 16), body.substr(34, 2))};
    }
    throw BadProxyHeader("unsupported network protocol");
}

Address read_address(std::string_view text, std::string_view port, bool v6)
{
    auto number = base::number<uint16_t>(port);
    auto address = Address::parse_ip(text, number.value_or(0));
    if (!number) throw BadProxyHeader("missing or bad port in proxy header");
    if (!address || text.starts_with('[') || (text.find(':') != std::string_view::npos) != v6) throw BadProxyHeader("missing or bad address in proxy header");
    return *address;
}

ProxyHeader parse_v1(std::string_view header)
{
    if (header.size() > v1_longest || !header.ends_with("\r\n")) throw BadProxyHeader("unrecognized protocol header");
    auto words = base::split_exact(header.substr(0, header.size() - 2), ' ');
    if (words.size() < 2 || words[0] != "PROXY") throw BadProxyHeader("unrecognized protocol header");
    if (words[1] == "UNKNOWN") return {true, {}, {}};
    bool v6 = words[1] == "TCP6";
    if (!v6 && words[1] != "TCP4") throw BadProxyHeader("unsupported network protocol");
    if (words.size() != 6) throw BadProxyHeader("missing or bad address in proxy header");
    return {false, read_address(words[2], words[4], v6), read_address(words[3], words[5], v6)};
}

// Until so many bytes are in text.
async::Task<> take(Stream& stream, std::string& text, size_t bytes, Limit limit)
{
    char part[v2_longest];
    while (text.size() < bytes) {
        ssize_t got = ::recv(stream.fd(), part, std::min(bytes - text.size(), sizeof part), MSG_DONTWAIT);
        if (got > 0) {
            text.append(part, static_cast<size_t>(got));
        } else if (got == 0) {
            throw Gone(Gone::closed, "lost connection");
        } else if (errno == EAGAIN || errno == EINTR) {
            co_await stream.wait_for(Transport::Result::want_read, limit);
        } else {
            throw Gone(Gone::failed, base::error_text(errno));
        }
    }
}

} // namespace

size_t proxy_header_size(std::string_view start)
{
    if (start.starts_with(v2_signature)) {
        if (start.size() < v2_fixed) return v2_fixed;
        if (byte(start, 12) >> 4 != 2) throw BadProxyHeader("unrecognized protocol version");
        size_t size = v2_fixed + (byte(start, 14) << 8) + byte(start, 15);
        if (size > v2_longest) throw BadProxyHeader("proxy header too long");
        return size;
    }
    if (!start.starts_with("PROXY ")) throw BadProxyHeader("unrecognized protocol header");
    size_t end = start.find('\n');
    return end == std::string_view::npos ? 0 : end + 1;
}

ProxyHeader parse_proxy_header(std::string_view header)
{
    if (header.size() < proxy_header_start) throw BadProxyHeader("short protocol header");
    if (proxy_header_size(header) != header.size()) throw BadProxyHeader("short protocol header");
    return header.starts_with(v2_signature) ? parse_v2(header) : parse_v1(header);
}

async::Task<ProxyHeader> read_proxy_header(Stream& stream, Limit limit)
{
    std::string header;
    co_await take(stream, header, proxy_header_start, limit);
    while (true) {
        size_t size = proxy_header_size(header);
        if (size != 0 && size <= header.size()) break;
        if (size == 0 && header.size() >= v1_longest) throw BadProxyHeader("unrecognized protocol header");
        co_await take(stream, header, size != 0 ? size : header.size() + 1, limit);
    }
    co_return parse_proxy_header(header);
}

} // namespace net
