// client_words: restrictions on the client itself: its network, its login, its certificate, its names.
#include "restrictions/walk.h"
#include "restrictions/words.h"
#include "session.h"

#include "base/text.h"
#include "mail/address.h"

#include <algorithm>

namespace smtpd::restrictions {
namespace {

Result permit_if(bool condition) { return condition ? Result::permit : Result::dunno; }

std::string_view without_final_dot(std::string_view name)
{
    if (name.ends_with('.') && !name.ends_with("..")) name.remove_suffix(1);
    return name;
}

// RFC 1123 2.1: a name whose last label is a number is no host name.
bool is_host_name(std::string_view name)
{
    return mail::valid_domain(name, true) && !std::all_of(name.begin(), name.end(), [](char c) { return base::is_digit(c) || c == '.'; });
}

Result refuse_bad_literal(Inquiry& inquiry, const std::string& helo)
{
    if (mail::valid_address_literal(helo)) return Result::dunno;
    int code = static_cast<int>(inquiry.rules.config.invalid_hostname_reject_code);
    return inquiry.refuse(code, "5.5.2", {helo, kind::helo}, "invalid ip address");
}

} // namespace

Result permit_mynetworks(Inquiry& inquiry, const Step&) { return permit_if(inquiry.session.client.trusted); }

Result permit_inet_interfaces(Inquiry& inquiry, const Step&)
{
    const auto& own = inquiry.rules.own_addresses;
    auto address = maps::Address::parse(inquiry.session.client.address);
    return permit_if(address && std::find(own.begin(), own.end(), *address) != own.end());
}

Result permit_sasl_authenticated(Inquiry& inquiry, const Step&) { return permit_if(!inquiry.session.sasl_user.empty()); }

Result permit_tls_clientcerts(Inquiry& inquiry, const Step&)
{
    const auto& tls = inquiry.session.tls;
    if (!tls || tls->peer_fingerprint.empty()) return Result::dunno;
    auto& known = inquiry.rules.relay_certificates;
    return permit_if(known.find(tls->peer_fingerprint) || (!tls->peer_key_fingerprint.empty() && known.find(tls->peer_key_fingerprint)));
}

Result permit_tls_all_clientcerts(Inquiry& inquiry, const Step&)
{
    const auto& tls = inquiry.session.tls;
    return permit_if(tls && (tls->trust == tls::Trust::trusted || tls->trust == tls::Trust::verified));
}

Result reject_plaintext_session(Inquiry& inquiry, const Step&)
{
    if (inquiry.session.tls) return Result::dunno;
    return inquiry.refuse(static_cast<int>(inquiry.rules.config.plaintext_reject_code), "4.7.1", "Session encryption is required");
}

Result reject_unknown_client_hostname(Inquiry& inquiry, const Step&)
{
    const Client& client = inquiry.session.client;
    if (client.name_status == NameStatus::known) return Result::dunno;
    int code = client.name_status == NameStatus::try_again ? 450 : static_cast<int>(inquiry.rules.config.unknown_client_reject_code);
    return inquiry.refuse(code, "4.7.1", fmt::format("Client host rejected: cannot find your hostname, [{}]", client.address));
}

Result reject_unknown_reverse_client_hostname(Inquiry& inquiry, const Step&)
{
    const Client& client = inquiry.session.client;
    if (client.reverse_status == NameStatus::known) return Result::dunno;
    int code = client.reverse_status == NameStatus::try_again ? 450 : static_cast<int>(inquiry.rules.config.unknown_client_reject_code);
    return inquiry.refuse(code, "4.7.1", fmt::format("Client host rejected: cannot find your reverse hostname, [{}]", client.address));
}

Result reject_unauth_pipelining(Inquiry& inquiry, const Step&)
{
    if (!inquiry.session.noted_pipelining) return Result::dunno;
    return inquiry.refuse(503, "5.5.0", inquiry.walk->subject(), "Improper use of SMTP command pipelining");
}

Result reject_invalid_helo_hostname(Inquiry& inquiry, const Step&)
{
    const std::string& helo = inquiry.session.client.helo;
    if (helo.empty()) return Result::dunno;
    if (helo.starts_with('[')) return refuse_bad_literal(inquiry, helo);
    auto name = without_final_dot(helo);
    if (is_host_name(name) || maps::Address::parse(name)) return Result::dunno;
    return inquiry.refuse(static_cast<int>(inquiry.rules.config.invalid_hostname_reject_code), "5.5.2", {helo, kind::helo}, "Invalid name");
}

Result reject_non_fqdn_helo_hostname(Inquiry& inquiry, const Step&)
{
    const std::string& helo = inquiry.session.client.helo;
    if (helo.empty()) return Result::dunno;
    if (helo.starts_with('[')) return refuse_bad_literal(inquiry, helo);
    auto name = without_final_dot(helo);
    if (is_host_name(name) && name.find('.') != name.npos) return Result::dunno;
    return inquiry.refuse(static_cast<int>(inquiry.rules.config.non_fqdn_reject_code), "5.5.2", {helo, kind::helo}, "need fully-qualified hostname");
}

} // namespace smtpd::restrictions
