#include "sasl/auth_socket.h"

#include "async/offload.h"
#include "base/text.h"
#include "net/listener.h"

#include <netdb.h>

namespace sasl {
namespace {

std::optional<net::Address> look_up(const std::string& host, const std::string& port)
{
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* first = nullptr;
    if (::getaddrinfo(host.c_str(), port.c_str(), &hints, &first) != 0 || !first) return std::nullopt;
    net::Address address(first->ai_addr, first->ai_addrlen);
    ::freeaddrinfo(first);
    return address;
}

} // namespace

async::Task<net::Stream> connect_to_auth(std::string where, net::Limit limit)
{
    std::string_view text = where;
    if (!text.starts_with("inet:")) {
        if (text.starts_with("unix:")) text.remove_prefix(5);
        net::Address path = net::Address::unix_path(std::string(text));
        net::Stream stream = co_await net::connect(path, limit);
        co_return stream;
    }
    text.remove_prefix(5);
    auto [host, port, found] = base::cut_last(text, ':');
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    auto search = [host = std::string(host), port = std::string(port)] { return look_up(host, port); };
    std::optional<net::Address> address;
    address = co_await async::offload(std::move(search));
    if (!address) throw net::Gone(net::Gone::failed, "no address for " + where);
    net::Stream stream = co_await net::connect(*address, limit);
    co_return stream;
}

} // namespace sasl
