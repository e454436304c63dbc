// client: who is at the other end: by the socket, by DNS, by a proxy before us, by XCLIENT, and by what it says of itself.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace smtpd {

// How far a name is known. XCLIENT says [UNAVAILABLE] and [TEMPUNAVAIL].
enum class NameStatus { known, none, try_again };

struct Client {
    std::string name = "unknown", address = "unknown", port = "unknown";
    std::string reverse_name = "unknown";               // as the PTR says, whether or not it has the address
    NameStatus name_status = NameStatus::none, reverse_status = NameStatus::none;
    std::string server_address, server_port;            // where it came to, when a proxy or XCLIENT says so; else empty
    std::string helo, protocol = "SMTP";                // "SMTP", "ESMTP", "LMTP"
    bool trusted = false;                               // in mynetworks, or a local user
    bool log_port = false;                              // smtpd_client_port_logging
    std::optional<uid_t> uid;                           // a local user, by the letterbox

    bool is_ipv6() const { return address.find(':') != std::string::npos; }
    std::string text() const { return log_port ? name + "[" + address + "]:" + port : name + "[" + address + "]"; }
};

// XFORWARD: whom the relay before us says that it has the message from. Empty: it did not say.
struct Forwarded {
    std::string name, address, port, helo, protocol, ident, domain;

    bool any() const { return !name.empty() || !address.empty(); }
    std::string text(bool with_port) const
    {
        auto known = [](const std::string& value) { return value.empty() ? std::string("unknown") : value; };
        return known(name) + "[" + known(address) + "]" + (with_port ? ":" + known(port) : "");
    }
};

} // namespace smtpd
