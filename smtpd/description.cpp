#include "description.h"

#include "session.h"

#include "base/clock.h"
#include "mail/address.h"

#include <unistd.h>

#include <algorithm>

namespace smtpd {
namespace {

using Value = std::string (*)(const Session&, const Asked&);

struct Attribute {
    std::string_view name;
    Value value;
};

std::string server_address(const Session& s)
{
    if (!s.client.server_address.empty()) return s.client.server_address;
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    if (s.stream.fd() < 0 || ::getsockname(s.stream.fd(), reinterpret_cast<sockaddr*>(&storage), &size) != 0) return "";
    net::Address address(reinterpret_cast<sockaddr*>(&storage), size);
    return address.is_unix() ? "" : address.ip();
}

std::string server_port(const Session& s)
{
    if (!s.client.server_port.empty()) return s.client.server_port;
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    if (s.stream.fd() < 0 || ::getsockname(s.stream.fd(), reinterpret_cast<sockaddr*>(&storage), &size) != 0) return "";
    net::Address address(reinterpret_cast<sockaddr*>(&storage), size);
    return address.is_unix() ? "" : std::to_string(address.port());
}

// Of one message, whatever is asked about it.
std::string instance(const Session& s)
{
    return fmt::format("{:x}.{:x}.{}.0", ::getpid(), static_cast<unsigned>(reinterpret_cast<uintptr_t>(&s) >> 4), s.mail ? s.mail->named : 0);
}

std::string recipient_count(const Session& s, const Asked& asked)
{
    // As Postfix: known once all are named.
    bool all_named = asked.state == "DATA" || asked.state == "END-OF-MESSAGE";
    return std::to_string(all_named && s.mail ? s.mail->recipients.size() : 0);
}

std::string size_of(const Session& s)
{
    if (!s.mail) return "0";
    if (s.mail->received > 0) return std::to_string(s.mail->received);
    return std::to_string(s.mail->mail.size.value_or(0));
}

std::string domain_of(const std::string& address) { return std::string(mail::split_address(address).domain); }
std::string local_of(const std::string& address) { return std::string(mail::split_address(address).local); }

constexpr Attribute attributes[] = {
    {"protocol_state", [](const Session&, const Asked& a) { return std::string(a.state); }},
    {"protocol_name", [](const Session& s, const Asked&) { return s.client.protocol; }},
    {"client_address", [](const Session& s, const Asked&) { return s.client.address; }},
    {"client_name", [](const Session& s, const Asked&) { return s.client.name; }},
    {"client_port", [](const Session& s, const Asked&) { return s.client.port; }},
    {"reverse_client_name", [](const Session& s, const Asked&) { return s.client.reverse_name; }},
    {"server_address", [](const Session& s, const Asked&) { return server_address(s); }},
    {"server_port", [](const Session& s, const Asked&) { return server_port(s); }},
    {"helo_name", [](const Session& s, const Asked&) { return s.client.helo; }},
    {"sender", [](const Session&, const Asked& a) { return mail::to_external(a.sender); }},
    {"recipient", [](const Session&, const Asked& a) { return mail::to_external(a.recipient); }},
    {"recipient_count", recipient_count},
    {"queue_id", [](const Session& s, const Asked&) { return s.mail && s.mail->file ? s.mail->file.id() : std::string(); }},
    {"instance", [](const Session& s, const Asked&) { return instance(s); }},
    {"size", [](const Session& s, const Asked&) { return size_of(s); }},
    {"etrn_domain", [](const Session&, const Asked& a) { return a.etrn_domain; }},
    {"stress", [](const Session& s, const Asked&) { return s.config.stress; }},
    {"sasl_method", [](const Session& s, const Asked&) { return s.sasl_method; }},
    {"sasl_username", [](const Session& s, const Asked&) { return s.sasl_user; }},
    {"sasl_sender", [](const Session& s, const Asked&) { return s.mail ? s.mail->mail.auth.value_or("") : std::string(); }},
    {"ccert_subject", [](const Session& s, const Asked&) { return s.tls ? s.tls->peer_name : std::string(); }},
    {"ccert_issuer", [](const Session& s, const Asked&) { return s.tls ? s.tls->peer_issuer : std::string(); }},
    {"ccert_fingerprint", [](const Session& s, const Asked&) { return s.tls ? s.tls->peer_fingerprint : std::string(); }},
    {"ccert_pubkey_fingerprint", [](const Session& s, const Asked&) { return s.tls ? s.tls->peer_key_fingerprint : std::string(); }},
    {"encryption_protocol", [](const Session& s, const Asked&) { return s.tls ? s.tls->protocol : std::string(); }},
    {"encryption_cipher", [](const Session& s, const Asked&) { return s.tls ? s.tls->cipher : std::string(); }},
    {"encryption_keysize", [](const Session& s, const Asked&) { return std::to_string(s.tls ? s.tls->bits_used : 0); }},
    {"client", [](const Session& s, const Asked&) { return s.client.name + "[" + s.client.address + "]"; }},
    {"sender_name", [](const Session&, const Asked& a) { return local_of(a.sender); }},
    {"sender_domain", [](const Session&, const Asked& a) { return domain_of(a.sender); }},
    {"recipient_name", [](const Session&, const Asked& a) { return local_of(a.recipient); }},
    {"recipient_domain", [](const Session&, const Asked& a) { return domain_of(a.recipient); }},
    {"server_name", [](const Session& s, const Asked&) { return s.config.myhostname; }},
    {"localtime", [](const Session&, const Asked&) { return base::mail_date(base::wall_now()); }},
};

} // namespace

std::optional<std::string> describe(const Session& session, const Asked& asked, std::string_view name)
{
    for (const Attribute& attribute : attributes)
        if (attribute.name == name) return attribute.value(session, asked);
    return std::nullopt;
}

} // namespace smtpd
