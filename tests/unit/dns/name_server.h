// name_server: a small scripted name server on a UDP port of 127.0.0.1, in the test's own loop.
#pragma once

#include "async/nursery.h"
#include "async/watch.h"
#include "base/text.h"
#include "net/listener.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <map>
#include <string>
#include <vector>

namespace testing {

inline std::string number16(unsigned value)
{
    std::string text(1, static_cast<char>(value >> 8));
    return text += static_cast<char>(value);
}

inline std::string number32(uint32_t value) { return number16(value >> 16) + number16(value & 0xffff); }

inline std::string wire_name(const std::string& name)
{
    std::string bytes;
    for (size_t at = 0; at < name.size();) {
        size_t dot = std::min(name.find('.', at), name.size());
        bytes += static_cast<char>(dot - at);
        bytes += name.substr(at, dot - at);
        at = dot + 1;
    }
    return bytes += '\0';
}

struct Script {
    int rcode = 0;
    std::string answers;            // whole records
    unsigned answer_count = 0, authority_count = 0;
    std::string authority;
    bool silent = false;

    Script& record(const std::string& owner, unsigned type, uint32_t ttl, const std::string& data)
    {
        answers += wire_name(owner) + number16(type) + number16(1) + number32(ttl) + number16(static_cast<unsigned>(data.size())) + data;
        ++answer_count;
        return *this;
    }
    Script& soa(uint32_t minimum)
    {
        std::string data = wire_name("ns.test") + wire_name("root.test") + number32(1) + number32(1) + number32(1) + number32(1) + number32(minimum);
        authority += wire_name("test") + number16(6) + number16(1) + number32(600) + number16(static_cast<unsigned>(data.size())) + data;
        ++authority_count;
        return *this;
    }
    std::string message(const std::string& id, const std::string& question) const
    {
        return id + number16(0x8180u | static_cast<unsigned>(rcode)) + number16(1) + number16(answer_count) + number16(authority_count) +
               number16(0) + question + answers + authority;
    }
};

inline std::string a_data(const std::string& ip) { return net::Address::parse_ip(ip, 0)->bytes(); }
inline std::string mx_data(unsigned preference, const std::string& host) { return number16(preference) + wire_name(host); }

class NameServer {
public:
    NameServer() : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0))
    {
        auto where = *net::Address::parse_ip("127.0.0.1", 0);
        if (::bind(fd_.get(), where.data(), where.size()) != 0) throw base::SystemError("bind");
        sockaddr_in mine{};
        socklen_t size = sizeof mine;
        ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&mine), &size);
        port = ntohs(mine.sin_port);
        nursery_.start(serve(*this));
    }

    // "name/type" → what is answered; REFUSED when there is nothing.
    std::map<std::string, Script> scripts;
    Script& on(const std::string& name, unsigned type) { return scripts[name + "/" + std::to_string(type)]; }
    std::vector<std::string> asked;
    unsigned port = 0;
    std::string address() const { return "127.0.0.1:" + std::to_string(port); }

private:
    static async::Task<> serve(NameServer& self)
    {
        async::Watch watch(self.fd_.get());
        while (true) {
            co_await async::wait(watch.readable());
            char bytes[2048];
            sockaddr_storage from{};
            socklen_t size = sizeof from;
            auto got = ::recvfrom(self.fd_.get(), bytes, sizeof bytes, 0, reinterpret_cast<sockaddr*>(&from), &size);
            if (got < 0) {
                watch.clear_readable();
                continue;
            }
            std::string answer = self.answer(std::string(bytes, static_cast<size_t>(got)));
            if (!answer.empty()) ::sendto(self.fd_.get(), answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
        }
    }
    std::string answer(const std::string& query)
    {
        std::string name;
        size_t at = 12;
        while (at < query.size() && query[at]) {
            auto length = static_cast<unsigned char>(query[at]);
            name += (name.empty() ? "" : ".") + query.substr(at + 1, length);
            at += 1u + length;
        }
        std::string key = base::lower(name) + "/" + std::to_string(static_cast<unsigned char>(query[at + 2]));
        asked.push_back(key);
        auto found = scripts.find(key);
        Script refused;
        refused.rcode = 5;
        const Script& script = found == scripts.end() ? refused : found->second;
        return script.silent ? std::string() : script.message(query.substr(0, 2), query.substr(12, at + 5 - 12));
    }

    base::Fd fd_;
    async::Nursery nursery_{"name server"};
};

// Runs the loop until the task has ended.
template <class T> async::Task<> store(async::Task<T> task, std::optional<T>& into)
{
    into = co_await task;
}

template <class T> T run(async::Task<T> task)
{
    std::optional<T> result;
    async::Nursery nursery("test");
    nursery.start(store(std::move(task), result));
    for (int i = 0; i < 2000 && !result; ++i) async::loop().run_once(async::Limit(100));
    if (!result) throw std::runtime_error("the task did not end");
    return std::move(*result);
}

} // namespace testing
