#include "net/service.h"

#include "async/offload.h"
#include "base/text.h"
#include "net/listener.h"

#include <netdb.h>

namespace net {
namespace {

std::vector<Address> look_up(const std::string& host, const std::string& port)
{
    std::vector<Address> found;
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* first = nullptr;
    if (::getaddrinfo(host.c_str(), port.c_str(), &hints, &first) != 0) return found;
    for (const addrinfo* each = first; each; each = each->ai_next) found.emplace_back(each->ai_addr, static_cast<socklen_t>(each->ai_addrlen));
    ::freeaddrinfo(first);
    return found;
}

Address unix_address(const std::string& path)
{
    try {
        return Address::unix_path(path);
    } catch (const std::exception& trouble) {
        throw Gone(Gone::failed, trouble.what());
    }
}

} // namespace

async::Task<Stream> connect_to_service(std::string where, Limit limit)
{
    std::string_view text = where;
    if (!text.starts_with("inet:")) {
        if (text.starts_with("unix:")) text.remove_prefix(5);
        Address path = unix_address(std::string(text));
        Stream stream = co_await connect(path, limit);
        co_return stream;
    }
    text.remove_prefix(5);
    auto [host, port, found] = base::cut_last(text, ':');
    if (!found) throw Gone(Gone::failed, "no port in " + where);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    auto search = [host = std::string(host), port = std::string(port)] { return look_up(host, port); };
    std::vector<Address> addresses = co_await async::offload(std::move(search));
    Gone trouble(Gone::failed, "no address for " + where);
    for (const Address& address : addresses) {
        try {
            Stream stream = co_await connect(address, limit);
            co_return stream;
        } catch (const Gone& why) {
            trouble = why;
        }
    }
    throw trouble;
}

} // namespace net
