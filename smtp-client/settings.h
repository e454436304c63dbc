// settings: what the client needs of main.cf, under one name for SMTP and LMTP (smtp_helo_timeout and lmtp_lhlo_timeout
// are helo_timeout).
#pragma once

#include "async/loop.h"
#include "config/config.h"
#include "dns/resolver.h"
#include "net/address.h"
#include "tls/handshake.h"

#include <string>
#include <vector>

namespace smtp_client {

enum class Preference : uint8_t { any, ipv4, ipv6 };

// Addresses at which mail for us arrives: an MX that has one of them is ourselves.
class OwnAddresses {
public:
    OwnAddresses() = default;
    // inet_interfaces and proxy_interfaces: addresses, host names, "all", "loopback-only".
    OwnAddresses(const std::vector<std::string>& inet_interfaces, const std::vector<std::string>& proxy_interfaces);
    void add(const net::Address& address) { bytes_.push_back(address.bytes()); }
    bool has(const net::Address& address) const;

private:
    void add_name(const std::string& name);
    std::vector<std::string> bytes_;
};

struct TlsPolicy {
    tls::Level level = tls::Level::none;
    bool wrappermode = false; // TLS from the first byte
    int loglevel = 0;
    bool note_offer = false;
    std::string servername;         // SNI: "", "hostname", "nexthop" or a name
    std::vector<std::string> match; // for verify and secure: hostname, nexthop, dot-nexthop, or names
    std::vector<std::string> fingerprints;
    bool required() const { return level != tls::Level::none && level != tls::Level::may; }
};

struct Settings {
    bool lmtp = false;
    std::string myhostname, helo_name;
    async::Limit connect_timeout{30000}, helo_timeout{300000}, mail_timeout{300000}, rcpt_timeout{300000},
        data_init_timeout{120000}, data_xfer_timeout{180000}, data_done_timeout{600000}, rset_timeout{20000},
        quit_timeout{300000}, starttls_timeout{300000}, xforward_timeout{300000};
    uint16_t port = 25;
    bool mx_lookup = true;
    bool hosts_file = false; // smtp_host_lookup = native
    bool ignore_mx_error = false;
    bool defer_without_mx_address = false;
    dns::Families families = dns::Families::any;
    Preference preference = Preference::any;
    size_t address_limit = 5, session_limit = 2; // 0: none
    bool randomize = true, balance = true;
    bool skip_5xx_greeting = true, always_ehlo = true, never_ehlo = false;
    bool skip_quit_reply = true, send_xforward = false;
    std::string discard_keywords;
    size_t line_limit = 998; // 0: none
    bool keep_connections = true;
    async::Limit keep_idle{2000}, keep_in_use{300000};
    int64_t keep_uses = 0;     // 0: no limit
    net::Address bind4, bind6; // empty: the kernel chooses
    std::vector<std::string> fallback_relays;
    OwnAddresses own;
    TlsPolicy tls;

    const char* greeting_verb() const { return lmtp ? "LHLO" : "EHLO"; }
};

// Throws config::Error, or std::runtime_error for what cannot be carried out.
Settings read_settings(const config::Config& config, bool lmtp);

// "25", "smtp": nothing when there is no such port.
std::optional<uint16_t> to_port(std::string_view text);

} // namespace smtp_client
