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

// What holds for servers that no policy names.
struct TlsSettings {
    tls::Level level = tls::Level::none;
    bool dane_only = false;    // the level, where `level` says dane
    bool wrappermode = false; // TLS from the first byte
    int loglevel = 0;
    bool note_offer = false, reuse = false, block_early_reply = false;
    std::string servername;                             // SNI: "", "hostname", "nexthop" or a name
    std::vector<std::string> verify_match, secure_match; // hostname, nexthop, dot-nexthop, or names
    std::vector<std::string> fingerprints, trust_anchors;
    std::string protocols = ">=TLSv1", mandatory_protocols = ">=TLSv1", ciphers = "medium",
                mandatory_ciphers = "medium";
    std::vector<std::string> exclude, mandatory_exclude;
};

// Logging in to servers.
struct SaslSettings {
    bool enabled = false, by_sender = false, soft_bounce = true, dummy_mail_auth = false;
    std::string delimiter = ":";
    unsigned demands = 0, tls_demands = 0, verified_demands = 0; // sasl::Demand
    bool remember_failures = false;
    async::Limit remember{0};
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
    bool name_behind_alias = false; // smtp_cname_overrides_servername
    bool defer_without_mx_address = false;
    dns::Families families = dns::Families::any;
    Preference preference = Preference::any;
    size_t address_limit = 5, session_limit = 2; // 0: none
    bool randomize = true, balance = true;
    bool skip_5xx_greeting = true, always_ehlo = true, never_ehlo = false;
    bool skip_quit_reply = true, send_xforward = false;
    bool probe_data = false; // smtp_address_verify_target: a probe goes as far as DATA
    std::string discard_keywords;
    size_t line_limit = 998; // 0: none
    bool quote_envelope = true, convert_8bit = true, assume_final = false;
    size_t edit_body_limit = 51200; // body_checks_size_limit
    std::string pix_workarounds;
    async::Limit pix_threshold{500000}, pix_delay{10000};
    bool whole_request_deadline = false; // and at least so many bytes a second of content
    int64_t least_data_rate = 500;
    async::Limit plain_after{300000}; // how long a message waits before it may go in the clear where TLS fails
    bool keep_connections = true;        // to all; else to those of keep_for
    std::vector<std::string> keep_for;
    async::Limit keep_idle{2000}, keep_in_use{300000};
    int64_t keep_uses = 0;     // 0: no limit
    net::Address bind4, bind6; // empty: the kernel chooses
    std::vector<std::string> fallback_relays;
    OwnAddresses own;
    TlsSettings tls;
    SaslSettings sasl;

    const char* greeting_verb() const { return lmtp ? "LHLO" : "EHLO"; }
};

// Throws config::Error, or std::runtime_error for what cannot be carried out.
Settings read_settings(const config::Config& config, bool lmtp);

// "25", "smtp": nothing when there is no such port.
std::optional<uint16_t> to_port(std::string_view text);

} // namespace smtp_client
