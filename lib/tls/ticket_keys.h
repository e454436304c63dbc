// ticket_keys: keys of session tickets, derived from one secret for each hour, so that all processes which share the
// secret resume each other's sessions, without a word between them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tls {

// The secret in a file of 0600 that whoever starts first makes; made anew when it is older than a day. Throws
// base::SystemError.
std::string shared_ticket_secret(const std::string& path);

struct TicketKey {
    std::array<unsigned char, 16> name;
    std::array<unsigned char, 32> cipher;
    std::array<unsigned char, 32> mac;
};

class TicketKeys {
public:
    explicit TicketKeys(std::string secret); // "": a random one
    ~TicketKeys();
    TicketKeys(const TicketKeys&) = delete;
    TicketKeys& operator=(const TicketKeys&) = delete;

    TicketKey for_hour(int64_t hour) const;
    // The key with that name among this hour's, the next one's (clocks differ) and those of `hours` before.
    std::optional<TicketKey> named(std::string_view name, int64_t hour, int hours) const;

private:
    std::string secret_;
};

} // namespace tls
