// ticket: proof that somebody has authenticated, good for one look at who it was. The login stage gets it from auth and
// passes it on; the session stage redeems it at auth, once, within a minute.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sasl {

struct Ticket {
    uint32_t auth_pid = 0;   // SPID
    uint32_t client_pid = 0; // CPID
    uint32_t request = 0;    // the id of the AUTH line
    std::string cookie;      // of the connection between login stage and auth; 32 hexadecimal digits

    bool operator==(const Ticket&) const = default;
    std::string text() const; // "auth_pid:client_pid:request:cookie"
    static std::optional<Ticket> parse(std::string_view text);
};

} // namespace sasl
