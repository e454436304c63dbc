// policy_attributes: what a policy service is told of a session, in Postfix's order and words.
#include "filters/policy.h"

#include "session.h"

#include "base/text.h"

#include <unistd.h>

namespace smtpd {
namespace {

net::Address local_address(int fd)
{
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return {};
    return net::Address(reinterpret_cast<sockaddr*>(&storage), size);
}

// The same for all questions about one message, and for no other.
std::string instance_of(const Session& s)
{
    return fmt::format("{:x}.{:x}.{:x}", ::getpid(), s.number, s.transactions);
}

uint64_t size_of(const Session& s)
{
    if (!s.mail) return 0;
    return s.mail->received > 0 ? s.mail->received : s.mail->mail.size.value_or(0);
}

void add_security(const Session& s, PolicyAttributes& known)
{
    known.emplace_back("sasl_method", s.sasl_method);
    known.emplace_back("sasl_username", s.sasl_user);
    known.emplace_back("sasl_sender", s.mail ? s.mail->mail.auth.value_or("") : "");
    bool certificate = s.tls && s.tls->trust >= tls::Trust::trusted;
    // RFC 3461 4's xtext keeps them on their line.
    known.emplace_back("ccert_subject", certificate ? base::to_xtext(s.tls->peer_name) : "");
    known.emplace_back("ccert_issuer", certificate ? base::to_xtext(s.tls->peer_issuer) : "");
    known.emplace_back("ccert_fingerprint", s.tls ? s.tls->peer_fingerprint : "");
    known.emplace_back("ccert_pubkey_fingerprint", s.tls ? s.tls->peer_key_fingerprint : "");
    known.emplace_back("encryption_protocol", s.tls ? s.tls->protocol : "");
    known.emplace_back("encryption_cipher", s.tls ? s.tls->cipher : "");
    known.emplace_back("encryption_keysize", std::to_string(s.tls ? s.tls->bits_used : 0));
}

} // namespace

PolicyAttributes policy_attributes(const Session& s, const PolicyQuestion& question, const PolicyService& service)
{
    bool content = question.where == "DATA" || question.where == "END-OF-MESSAGE";
    net::Address here = local_address(s.stream.fd());
    PolicyAttributes known;
    known.emplace_back("request", "smtpd_access_policy");
    known.emplace_back("protocol_state", question.where);
    known.emplace_back("protocol_name", s.client.protocol);
    known.emplace_back("client_address", s.client.address);
    known.emplace_back("client_name", s.client.name);
    known.emplace_back("client_port", s.service.letterbox ? "" : s.client.port);
    known.emplace_back("reverse_client_name", s.client.reverse_name);
    known.emplace_back("server_address", s.service.letterbox ? "" : s.client.server_address.empty() ? here.ip() : s.client.server_address);
    known.emplace_back("server_port", s.service.letterbox ? "" : s.client.server_port.empty() ? std::to_string(here.port()) : s.client.server_port);
    known.emplace_back("helo_name", s.client.helo);
    known.emplace_back("sender", question.sender);
    known.emplace_back("recipient", question.recipient);
    known.emplace_back("recipient_count", std::to_string(content && s.mail ? s.mail->recipients.size() : 0));
    known.emplace_back("queue_id", s.mail && s.mail->file ? s.mail->file.id() : "");
    known.emplace_back("instance", instance_of(s));
    known.emplace_back("size", std::to_string(size_of(s)));
    known.emplace_back("etrn_domain", question.etrn_domain);
    known.emplace_back("stress", s.config.find("stress").value_or(""));
    add_security(s, known);
    known.emplace_back("policy_context", service.context);
    known.emplace_back("compatibility_level", s.config.find("compatibility_level").value_or(""));
    known.emplace_back("mail_version", s.config.find("mail_version").value_or(""));
    return known;
}

} // namespace smtpd
