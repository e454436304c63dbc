#include "sasl.h"

#include "session.h"

#include "base/log.h"
#include "base/text.h"

namespace smtpd {
namespace {

constexpr async::Limit mechanisms_limit = std::chrono::seconds(10);

struct Option {
    std::string_view word;
    bool sasl::Mechanism::*property;
    bool wanted; // or forbidden
};
constexpr Option options[] = {
    {"noplaintext", &sasl::Mechanism::plaintext, false},
    {"noactive", &sasl::Mechanism::active, false},
    {"nodictionary", &sasl::Mechanism::dictionary, false},
    {"noanonymous", &sasl::Mechanism::anonymous, false},
    {"forward_secrecy", &sasl::Mechanism::forward_secrecy, true},
    {"mutual_auth", &sasl::Mechanism::mutual_auth, true},
};

net::Address local_address(const net::Stream& stream)
{
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    ::getsockname(stream.fd(), reinterpret_cast<sockaddr*>(&storage), &size);
    return net::Address(reinterpret_cast<sockaddr*>(&storage), size);
}

bool can_bind(const Session& s) { return s.tls && (!s.tls->exporter.empty() || !s.tls->server_end_point.empty()); }

} // namespace

std::optional<bool> fulfils(const sasl::Mechanism& mechanism, std::string_view word)
{
    for (const auto& option : options)
        if (base::same_word(option.word, word)) return mechanism.*option.property == option.wanted;
    return std::nullopt;
}

SaslRules::SaslRules(const config::Config& config)
    : filter_(config.find("smtpd_sasl_mechanism_filter").value_or(""), maps::Matching::strings),
      exceptions_(config.find("smtpd_sasl_exceptions_networks").value_or("")), in_clear_(config.smtpd_sasl_security_options),
      under_tls_(config.smtpd_sasl_tls_security_options)
{
    for (const auto* words : {&in_clear_, &under_tls_})
        for (const auto& word : *words)
            if (!fulfils({}, word)) base::log::warning("smtpd_sasl_security_options: unknown word \"{}\": no mechanism is offered", base::printable(word, 40));
}

bool SaslRules::allows(const sasl::Mechanism& mechanism, bool under_tls, bool can_bind)
{
    for (const auto& word : under_tls ? under_tls_ : in_clear_)
        if (!fulfils(mechanism, word).value_or(false)) return false;
    return mechanism.is_offered(can_bind) && filter_.matches(base::lower(mechanism.name));
}

async::Task<std::vector<std::string>> sasl_mechanisms(Session& s)
{
    std::vector<std::string> names;
    auto known = co_await s.service.auth->mechanisms(mechanisms_limit);
    for (const auto& mechanism : known)
        if (s.service.sasl_rules->allows(mechanism, s.tls.has_value(), can_bind(s))) names.push_back(mechanism.name);
    co_return names;
}

sasl::Request sasl_request(const Session& s, const std::string& mechanism)
{
    sasl::Request request(mechanism, s.config.smtpd_sasl_service);
    request.secured = s.tls.has_value();
    request.remote = s.peer;
    request.local = local_address(s.stream);
    if (!s.tls) return request;
    request.local_name = s.tls->server_name;
    if (s.tls->trust == tls::Trust::trusted) request.certificate_name = s.tls->peer_name;
    request.tls_exporter = s.tls->exporter;
    request.tls_server_end_point = s.tls->server_end_point;
    return request;
}

} // namespace smtpd
