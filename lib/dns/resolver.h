// resolver: questions to the DNS, as coroutines in our loop. c-ares does the asking (servers from /etc/resolv.conf,
// retries, TCP when an answer does not fit); identical questions that are under way are asked once; answers are kept
// for their TTL, within bounds.
//
// A Resolver outlives the tasks that ask it. A task that is destroyed while it waits leaves nothing behind: the
// question goes on and its answer lands in the cache. Errors of the DNS are values; nothing here throws but
// std::bad_alloc.
#pragma once

#include "async/task.h"
#include "net/address.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace dns {

enum class Status : uint8_t {
    found,
    no_such_domain, // NXDOMAIN, or a name that no host can have
    no_data,        // the name exists, but has nothing of this type
    try_again,      // SERVFAIL, no answer in time, nonsense
};

template <class Record> struct Answer {
    Status status = Status::try_again;
    std::vector<Record> records; // not empty exactly when found
    std::chrono::seconds ttl{0}; // the least of the records; 0 when unknown
    std::string name;            // the canonical name: where CNAMEs led
    bool authentic = false;      // the name server says that it checked DNSSEC (AD)
    bool found() const { return status == Status::found; }
};

struct Mx {
    uint16_t preference = 0;
    std::string host; // empty: ".", the null MX of RFC 7505
    bool operator==(const Mx&) const = default;
};

enum class Families : uint8_t { any, ipv4, ipv6 };

// The name of a client. name is the PTR's name if that name has the address again, else "unknown"; reverse_name is the
// PTR's in any case.
struct ClientName {
    std::string name = "unknown", reverse_name = "unknown";
    Status reverse = Status::try_again; // of the PTR question
    Status forward = Status::try_again; // of the check; no_data: the name has other addresses
    bool verified() const { return forward == Status::found; }
};

struct Options {
    std::vector<std::string> servers; // "192.0.2.1:53" or "[2001:db8::1]:53" instead of those of /etc/resolv.conf
    std::chrono::milliseconds timeout{3000}; // of the first try; doubled each time
    int tries = 3;
    std::string hosts_file = "/etc/hosts";
    size_t cache_entries = 2000;
};

class Resolver {
public:
    explicit Resolver(Options options = {});
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;
    ~Resolver();

    // In order of preference; equal ones as they came.
    async::Task<Answer<Mx>> mx(std::string name);
    // Port 0. IPv6 before IPv4 where both are asked. With use_hosts_file the file is asked first (smtp_host_lookup =
    // native). When one family is found and the other fails, the answer is what was found.
    async::Task<Answer<net::Address>> addresses(std::string name, Families families = Families::any,
                                                bool use_hosts_file = false);
    async::Task<ClientName> reverse(net::Address client, bool use_hosts_file = false);
    async::Task<Answer<std::string>> txt(std::string name);
    // Any other type, as raw record data: TLSA is 52.
    async::Task<Answer<std::string>> raw(std::string name, uint16_t type);

    size_t cached() const;
    void forget(); // empties the cache

private:
    struct Core;
    std::unique_ptr<Core> core_;
};

// A name that may be asked for: labels of letters, digits, '-' and '_' of at most 63 bytes, 253 in all; a final dot is
// allowed.
bool is_askable(std::string_view name);

} // namespace dns
