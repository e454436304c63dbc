#include "sockets.h"

#include "base/text.h"
#include "net/address.h"
#include "net/listener.h"

#include <netdb.h>
#include <netinet/in.h>

namespace master {
namespace {

constexpr int backlog = 4096;

[[noreturn]] void refuse(const config::Service& service, const std::string& why)
{
    throw config::Error(fmt::format("{}:{}: {}", service.file, service.line, why));
}

uint16_t find_port(const config::Service& service, std::string_view word)
{
    if (auto number = base::number<uint16_t>(word); number && *number > 0) return *number;
    static constexpr std::pair<std::string_view, uint16_t> ports[] = {{"smtp", 25},   {"submission", 587}, {"submissions", 465}, {"smtps", 465},
                                                                      {"imap", 143},  {"imap2", 143},      {"imaps", 993},       {"pop3", 110},
                                                                      {"pop-3", 110}, {"pop3s", 995},      {"lmtp", 24}};
    for (auto [name, port] : ports)
        if (name == word) return port;
    if (servent* entry = ::getservbyname(std::string(word).c_str(), "tcp")) return ntohs(static_cast<uint16_t>(entry->s_port));
    refuse(service, fmt::format("service \"{}\": no such port; expected a number or a name of /etc/services", word));
}

bool family_allowed(const config::Config& config, int family)
{
    for (auto word : base::split(config.inet_protocols)) {
        if (word == "all") return true;
        if (word == (family == AF_INET6 ? "ipv6" : "ipv4")) return true;
    }
    return false;
}

// "all", "loopback-only", or a list of addresses and names.
std::vector<net::Address> interfaces(const config::Config& config, const config::Service& service, std::string_view host, uint16_t port)
{
    std::vector<std::string> hosts;
    if (!host.empty() && host != "*")
        hosts.emplace_back(host);
    else
        hosts = config.inet_interfaces;
    std::vector<net::Address> found;
    auto add = [&](std::string_view ip) {
        auto address = net::Address::parse_ip(ip, port);
        if (!address) return false;
        if (family_allowed(config, address->family())) found.push_back(*address);
        return true;
    };
    for (const auto& word : hosts) {
        if (word == "all") {
            add("0.0.0.0");
            add("::");
        } else if (word == "loopback-only" || word == "localhost") {
            add("127.0.0.1");
            add("::1");
        } else if (!add(word)) {
            addrinfo hints{}, *first = nullptr;
            hints.ai_socktype = SOCK_STREAM;
            if (::getaddrinfo(word.c_str(), nullptr, &hints, &first) != 0) refuse(service, fmt::format("host \"{}\" not found", word));
            for (addrinfo* each = first; each; each = each->ai_next) {
                net::Address address(each->ai_addr, each->ai_addrlen);
                address.set_port(port);
                if (family_allowed(config, address.family())) found.push_back(address);
            }
            ::freeaddrinfo(first);
        }
    }
    return found;
}

} // namespace

std::vector<std::string> socket_names(const config::Config& config, const config::Service& service, const Program& program)
{
    std::vector<std::string> names;
    if (service.type == config::Service::Type::inet) {
        // "host:port", "[host]:port", "port".
        auto pair = base::cut_last(service.name, ':');
        std::string_view host = pair.found ? pair.before : "", word = pair.found ? pair.after : pair.before;
        for (const auto& address : interfaces(config, service, host, find_port(service, word))) names.push_back("inet " + address.text());
        return names;
    }
    if (program.command == "pickup") return {"unix public/sendmail"};
    if (program.executable == "qmgr") return {"unix public/qmgr", "unix private/qmgr"};
    if (program.command == "auth") return {"unix private/" + service.name, "unix private/" + service.name + "-master"};
    bool is_private = service.private_.value_or(true);
    return {fmt::format("unix {}/{}", is_private ? "private" : "public", service.name)};
}

Socket open_socket(const config::Config& config, const std::string& name, Wire wire)
{
    auto pair = base::cut(name, ' ');
    int type = wire == Wire::packets ? SOCK_SEQPACKET : SOCK_STREAM;
    if (pair.before == "unix") {
        // The folder says who may come near; the socket itself is open.
        auto where = net::Address::unix_path(config.queue_directory + "/" + std::string(pair.after));
        return {name, net::listen_on(where, backlog, type, 0666)};
    }
    auto host = base::cut_last(pair.after, ':');
    auto where = net::Address::parse_ip(host.before, base::number<uint16_t>(host.after).value_or(0));
    return {name, net::listen_on(*where, backlog, SOCK_STREAM)};
}

} // namespace master
