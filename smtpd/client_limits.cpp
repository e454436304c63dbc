#include "client_limits.h"

#include "session.h"

#include "base/log.h"
#include "net/address.h"

#include <arpa/inet.h>

namespace smtpd {
namespace {

std::chrono::seconds unit(const Session& s) { return std::chrono::duration_cast<std::chrono::seconds>(s.config.anvil_rate_time_unit); }

// How many there were within the unit, with this one; 0: not counted, or not limited.
int64_t count(Session& s, ipc::ClientEvent event, int64_t limit)
{
    return !s.counted_as.empty() && limit > 0 ? s.service.counts.add(s.counted_as, event, unit(s)) : 0;
}

void warn(const Session& s, std::string_view what, int64_t number)
{
    base::log::warning("{} limit exceeded: {} from {} for service {}", what, number, s.client.text(), s.service.name);
}

} // namespace

Presence& Presence::operator=(Presence&& other) noexcept
{
    if (this == &other) return *this;
    leave();
    counts_ = std::exchange(other.counts_, nullptr);
    who_ = std::move(other.who_);
    return *this;
}

void Presence::leave()
{
    if (auto* counts = std::exchange(counts_, nullptr)) counts->disconnect(who_);
}

std::string client_range(const std::string& text, int64_t ipv4_bits, int64_t ipv6_bits)
{
    auto address = net::Address::parse_ip(text, 0);
    if (!address) return text;
    std::string bytes = address->bytes();
    int64_t bits = bytes.size() == 4 ? ipv4_bits : ipv6_bits;
    if (bits >= static_cast<int64_t>(bytes.size()) * 8) return text;
    for (size_t i = 0; i < bytes.size(); ++i) {
        int64_t left = std::clamp<int64_t>(bits - static_cast<int64_t>(i) * 8, 0, 8);
        bytes[i] = static_cast<char>(static_cast<unsigned char>(bytes[i]) & (0xff00 >> left));
    }
    char network[INET6_ADDRSTRLEN];
    ::inet_ntop(bytes.size() == 4 ? AF_INET : AF_INET6, bytes.data(), network, sizeof network);
    return fmt::format("{}/{}", network, bits);
}

std::string counted_as(Session& s)
{
    if (s.service.letterbox || s.may_xclient || s.service.limit_exceptions.contains(s.client.name, s.client.address)) return {};
    return s.service.name + ":" + client_range(s.client.address, s.config.smtpd_client_ipv4_prefix_length, s.config.smtpd_client_ipv6_prefix_length);
}

std::optional<smtp::Reply> refuse_connection(Session& s)
{
    s.presence = Presence();
    const auto& config = s.config;
    if (s.counted_as.empty()) return std::nullopt;
    auto seen = s.service.counts.connect(s.counted_as, unit(s));
    s.presence = Presence(s.service.counts, s.counted_as);
    s.connections = seen.open;
    smtp::Reply reply{421, "4.7.0", config.myhostname + " Error: too many connections from " + s.client.address};
    if (config.smtpd_client_connection_count_limit > 0 && seen.open > config.smtpd_client_connection_count_limit) {
        warn(s, "Connection concurrency", seen.open);
        return reply;
    }
    if (config.smtpd_client_connection_rate_limit > 0 && seen.rate > config.smtpd_client_connection_rate_limit) {
        warn(s, "Connection rate", seen.rate);
        return reply;
    }
    return std::nullopt;
}

std::optional<smtp::Reply> refuse_mail(Session& s)
{
    int64_t limit = s.config.smtpd_client_message_rate_limit, rate = count(s, ipc::ClientEvent::message, limit);
    if (rate <= limit) return std::nullopt;
    warn(s, "Message delivery request rate", rate);
    return smtp::Reply{450, "4.7.1", "Error: too much mail from " + s.client.address};
}

std::optional<smtp::Reply> refuse_recipient(Session& s)
{
    int64_t limit = s.config.smtpd_client_recipient_rate_limit, rate = count(s, ipc::ClientEvent::recipient, limit);
    if (rate <= limit) return std::nullopt;
    warn(s, "Recipient address rate", rate);
    return smtp::Reply{450, "4.7.1", "Error: too many recipients from " + s.client.address};
}

std::optional<smtp::Reply> refuse_auth(Session& s)
{
    int64_t limit = s.config.smtpd_client_auth_rate_limit, rate = count(s, ipc::ClientEvent::auth, limit);
    if (rate <= limit) return std::nullopt;
    warn(s, "AUTH command rate", rate);
    return smtp::Reply{450, "4.7.1", "Error: too many AUTH commands from " + s.client.address};
}

std::optional<smtp::Reply> refuse_starttls(Session& s)
{
    int64_t limit = s.config.smtpd_client_new_tls_session_rate_limit;
    if (s.counted_as.empty() || limit <= 0 || s.service.counts.rate(s.counted_as, ipc::ClientEvent::new_tls, unit(s)) <= limit) return std::nullopt;
    base::log::warning("Refusing {} request from {} for service {}", s.config.smtpd_tls_wrappermode ? "TLS service" : "STARTTLS", s.client.text(), s.service.name);
    return smtp::Reply{454, "4.7.0", "Error: too many new TLS sessions from " + s.client.text()};
}

std::optional<smtp::Reply> refuse_new_tls(Session& s)
{
    if (s.tls && s.tls->resumed) return std::nullopt;
    int64_t limit = s.config.smtpd_client_new_tls_session_rate_limit, rate = count(s, ipc::ClientEvent::new_tls, limit);
    if (rate <= limit) return std::nullopt;
    warn(s, "New TLS session rate", rate);
    return smtp::Reply{421, "4.7.0", fmt::format("{} Error: too many new TLS sessions from {}", s.config.myhostname, s.client.text())};
}

} // namespace smtpd
