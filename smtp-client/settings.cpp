#include "settings.h"

#include "base/log.h"
#include "base/text.h"
#include "sasl/client.h"

#include <netdb.h>
#include <netinet/in.h>

#include <memory>
#include <stdexcept>

namespace smtp_client {
namespace {

// Reads smtp_NAME or lmtp_NAME.
class Reader {
public:
    Reader(const config::Config& config, bool lmtp) : config_(config), prefix_(lmtp ? "lmtp_" : "smtp_") {}
    std::string text(std::string_view name) const { return config_.find(full(name)).value_or(""); }
    async::Limit seconds(std::string_view name) const { return config_.seconds(full(name)); }
    bool flag(std::string_view name) const { return config_.flag(full(name)); }
    int64_t number(std::string_view name) const { return config_.number(full(name)); }
    size_t count(std::string_view name) const { return static_cast<size_t>(std::max<int64_t>(0, number(name))); }
    std::vector<std::string> list(std::string_view name) const { return config_.list(full(name)); }
    std::string full(std::string_view name) const { return prefix_ + std::string(name); }

private:
    const config::Config& config_;
    std::string prefix_;
};

Preference to_preference(const std::string& word)
{
    return word == "ipv4" ? Preference::ipv4 : word == "ipv6" ? Preference::ipv6 : Preference::any;
}

dns::Families to_families(std::string_view inet_protocols)
{
    bool four = false, six = false;
    for (auto word : base::split(inet_protocols)) {
        four = four || word == "all" || word == "ipv4";
        six = six || word == "all" || word == "ipv6";
    }
    return four == six ? dns::Families::any : four ? dns::Families::ipv4 : dns::Families::ipv6;
}

net::Address to_source(const Reader& read, const char* name)
{
    std::string text = read.text(name);
    if (text.empty()) return {};
    auto address = net::Address::parse_ip(text, 0);
    if (!address) throw std::runtime_error(fmt::format("{}: \"{}\" is no IP address", read.full(name), text));
    return *address;
}

void read_timeouts(const Reader& read, Settings& settings)
{
    settings.connect_timeout = read.seconds("connect_timeout");
    if (settings.connect_timeout.count() == 0) settings.connect_timeout = async::no_limit;
    settings.helo_timeout = read.seconds(settings.lmtp ? "lhlo_timeout" : "helo_timeout");
    settings.mail_timeout = read.seconds("mail_timeout");
    settings.rcpt_timeout = read.seconds("rcpt_timeout");
    settings.data_init_timeout = read.seconds("data_init_timeout");
    settings.data_xfer_timeout = read.seconds("data_xfer_timeout");
    settings.data_done_timeout = read.seconds("data_done_timeout");
    settings.rset_timeout = read.seconds("rset_timeout");
    settings.quit_timeout = read.seconds("quit_timeout");
    settings.starttls_timeout = read.seconds("starttls_timeout");
    settings.xforward_timeout = read.seconds("xforward_timeout");
}

void read_hosts(const config::Config& config, const Reader& read, Settings& settings)
{
    auto port = to_port(read.text("tcp_port"));
    if (!port)
        throw std::runtime_error(fmt::format("{}: unknown port \"{}\"", read.full("tcp_port"), read.text("tcp_port")));
    settings.port = *port;
    // RFC 2033 5: LMTP does not use MX records.
    settings.mx_lookup = !settings.lmtp && !config.disable_dns_lookups && read.text("dns_support_level") != "disabled";
    settings.hosts_file = base::find_word(read.text("host_lookup"), "native") != std::string_view::npos;
    settings.name_behind_alias = read.flag("cname_overrides_servername");
    settings.ignore_mx_error = config.ignore_mx_lookup_error;
    settings.defer_without_mx_address = read.flag("defer_if_no_mx_address_found");
    settings.families = to_families(config.inet_protocols);
    settings.preference = to_preference(read.text("address_preference"));
    settings.address_limit = read.count("mx_address_limit");
    settings.session_limit = read.count("mx_session_limit");
    settings.randomize = read.flag("randomize_addresses");
    settings.balance = read.flag("balance_inet_protocols");
    settings.bind4 = to_source(read, "bind_address");
    settings.bind6 = to_source(read, "bind_address6");
    settings.fallback_relays = read.list("fallback_relay");
    settings.own = OwnAddresses(config.inet_interfaces, config.list("proxy_interfaces"));
}

tls::Level tls_level(const Reader& read)
{
    std::string word = read.text("tls_security_level");
    if (word.empty()) {
        if (read.flag("enforce_tls"))
            return read.flag("tls_enforce_peername") ? tls::Level::verify : tls::Level::encrypt;
        return read.flag("use_tls") ? tls::Level::may : tls::Level::none;
    }
    auto level = tls::level(word);
    if (!level) throw std::runtime_error(fmt::format("invalid tls security level: \"{}\"", word));
    return *level;
}

// Matches may be joined by colons, too: "nexthop:dot-nexthop".
std::vector<std::string> split_colons(const std::vector<std::string>& words)
{
    std::vector<std::string> pieces;
    for (const auto& word : words)
        for (auto piece : base::split(word, ":,| ")) pieces.emplace_back(piece);
    return pieces;
}

void read_tls(const Reader& read, Settings& settings)
{
    TlsSettings& tls = settings.tls;
    tls.level = tls_level(read);
    tls.dane_only = base::same_word(read.text("tls_security_level"), "dane-only");
    tls.wrappermode = read.flag("tls_wrappermode");
    tls.loglevel = base::number<int>(read.text("tls_loglevel")).value_or(0);
    tls.note_offer = read.flag("tls_note_starttls_offer");
    tls.reuse = read.flag("tls_connection_reuse");
    tls.block_early_reply = read.flag("tls_block_early_mail_reply");
    tls.servername = read.text("tls_servername");
    tls.verify_match = split_colons(read.list("tls_verify_cert_match"));
    tls.secure_match = split_colons(read.list("tls_secure_cert_match"));
    tls.fingerprints = read.list("tls_fingerprint_cert_match");
    if (auto file = read.text("tls_trust_anchor_file"); !file.empty()) tls.trust_anchors = {file};
    tls.protocols = read.text("tls_protocols");
    tls.mandatory_protocols = read.text("tls_mandatory_protocols");
    tls.ciphers = read.text("tls_ciphers");
    tls.mandatory_ciphers = read.text("tls_mandatory_ciphers");
    tls.exclude = read.list("tls_exclude_ciphers");
    tls.mandatory_exclude = read.list("tls_mandatory_exclude_ciphers");
}

unsigned sasl_demands(const Reader& read, const char* name)
{
    std::string unknown;
    auto demands = sasl::parse_demands(read.list(name), unknown);
    if (!demands) throw std::runtime_error(fmt::format("{}: unknown SASL security option \"{}\"", read.full(name), unknown));
    return *demands;
}

void read_sasl(const config::Config& config, const Reader& read, Settings& settings)
{
    SaslSettings& sasl = settings.sasl;
    sasl.enabled = read.flag("sasl_auth_enable");
    sasl.dummy_mail_auth = read.flag("send_dummy_mail_auth");
    if (!sasl.enabled) return;
    if (read.text("sasl_password_maps").empty())
        throw std::runtime_error(
            fmt::format("specify a password table via the `{}' configuration parameter", read.full("sasl_password_maps")));
    sasl.by_sender = !settings.lmtp && config.smtp_sender_dependent_authentication;
    sasl.soft_bounce = read.flag("sasl_auth_soft_bounce");
    sasl.delimiter = read.text("sasl_password_result_delimiter");
    sasl.demands = sasl_demands(read, "sasl_security_options");
    sasl.tls_demands = sasl_demands(read, "sasl_tls_security_options");
    sasl.verified_demands = sasl_demands(read, "sasl_tls_verified_security_options");
    sasl.remember_failures = !read.text("sasl_auth_cache_name").empty();
    sasl.remember = read.seconds("sasl_auth_cache_time");
}

void read_repairs(const config::Config& config, const Reader& read, Settings& settings)
{
    settings.quote_envelope = read.flag("quote_rfc821_envelope");
    settings.convert_8bit = !config.disable_mime_output_conversion;
    settings.assume_final = settings.lmtp && config.lmtp_assume_final;
    settings.edit_body_limit = static_cast<size_t>(std::max<int64_t>(0, config.number("body_checks_size_limit")));
    settings.pix_workarounds = base::join(read.list("pix_workarounds"), ",");
    settings.pix_threshold = read.seconds("pix_workaround_threshold_time");
    settings.pix_delay = read.seconds("pix_workaround_delay_time");
    settings.whole_request_deadline = read.flag("per_request_deadline");
    settings.least_data_rate = read.number("min_data_rate");
    settings.plain_after = config.minimal_backoff_time;
}

} // namespace

OwnAddresses::OwnAddresses(const std::vector<std::string>& inet_interfaces,
                           const std::vector<std::string>& proxy_interfaces)
{
    for (const auto& word : inet_interfaces) {
        if (word != "all" && word != "loopback-only") {
            add_name(word);
            continue;
        }
        for (const auto& each : net::interface_addresses())
            if (word == "all" || each.is_loopback()) add(each);
    }
    for (const auto& word : proxy_interfaces) add_name(word);
}

void OwnAddresses::add_name(const std::string& name)
{
    if (auto address = net::Address::parse_ip(name, 0)) return add(*address);
    addrinfo hints{}, *found = nullptr;
    hints.ai_socktype = SOCK_STREAM;
    if (::getaddrinfo(name.c_str(), nullptr, &hints, &found) != 0)
        return base::log::warning("own address {}: no such host", name);
    for (auto* each = found; each; each = each->ai_next) add(net::Address(each->ai_addr, each->ai_addrlen));
    ::freeaddrinfo(found);
}

bool OwnAddresses::has(const net::Address& address) const
{
    return !address.bytes().empty() && std::find(bytes_.begin(), bytes_.end(), address.bytes()) != bytes_.end();
}

std::optional<uint16_t> to_port(std::string_view text)
{
    if (auto number = base::number<uint16_t>(text)) return *number != 0 ? number : std::nullopt;
    struct Name {
        std::string_view name;
        uint16_t port;
    };
    constexpr Name names[] = {{"smtp", 25}, {"lmtp", 24}, {"submission", 587}, {"submissions", 465}, {"smtps", 465}};
    for (const auto& each : names)
        if (base::same_word(each.name, text)) return each.port;
    if (text.empty() || text.size() > 100) return std::nullopt;
    const servent* service = ::getservbyname(std::string(text).c_str(), "tcp");
    if (!service) return std::nullopt;
    return ntohs(static_cast<uint16_t>(service->s_port));
}

Settings read_settings(const config::Config& config, bool lmtp)
{
    Reader read(config, lmtp);
    Settings settings;
    settings.lmtp = lmtp;
    settings.myhostname = config.myhostname;
    settings.helo_name = read.text(lmtp ? "lhlo_name" : "helo_name");
    settings.skip_5xx_greeting = read.flag("skip_5xx_greeting");
    settings.always_ehlo = lmtp || config.smtp_always_send_ehlo;
    settings.never_ehlo = !lmtp && config.smtp_never_send_ehlo;
    settings.skip_quit_reply = read.flag("skip_quit_response");
    settings.send_xforward = read.flag("send_xforward_command");
    settings.probe_data = base::same_word(read.text("address_verify_target"), "data");
    settings.discard_keywords = base::join(read.list(lmtp ? "discard_lhlo_keywords" : "discard_ehlo_keywords"), " ");
    settings.line_limit = read.count("line_length_limit");
    settings.keep_connections = read.flag("connection_cache_on_demand");
    settings.keep_for = read.list("connection_cache_destinations");
    settings.keep_idle = read.seconds("connection_cache_time_limit");
    settings.keep_in_use = read.seconds("connection_reuse_time_limit");
    settings.keep_uses = read.number("connection_reuse_count_limit");
    read_timeouts(read, settings);
    read_hosts(config, read, settings);
    read_tls(read, settings);
    read_sasl(config, read, settings);
    read_repairs(config, read, settings);
    return settings;
}

} // namespace smtp_client
