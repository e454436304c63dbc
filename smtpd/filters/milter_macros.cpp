// milter_macros: what Postfix tells milters beside the events (MILTER_README, "Macros").
#include "filters/milters.h"

#include "session.h"

namespace smtpd {
namespace {

net::Address local_address(int fd)
{
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return {};
    return net::Address(reinterpret_cast<sockaddr*>(&storage), size);
}

const char* resolution(const Client& client)
{
    if (client.name_status == NameStatus::known) return "OK";
    if (client.name_status == NameStatus::try_again) return "TEMP";
    return client.reverse_status == NameStatus::known ? "FORGED" : "FAIL";
}

std::optional<std::string> unless_empty(const std::string& value)
{
    if (value.empty()) return std::nullopt;
    return value;
}

} // namespace

std::optional<std::string> Milters::connection_macro(std::string_view name) const
{
    const Session& s = session_;
    if (name == "_") return fmt::format("{} [{}]", s.client.name, s.client.address);
    if (name == "{client_addr}") return s.client.address;
    if (name == "{client_name}") return s.client.name;
    if (name == "{client_ptr}") return s.client.reverse_name;
    if (name == "{client_resolve}") return resolution(s.client);
    if (s.service.letterbox) return std::nullopt;
    if (name == "{client_connections}") return s.connections > 0 ? std::optional(std::to_string(s.connections)) : std::nullopt;
    if (name == "{client_port}") return s.client.port;
    if (name == "{daemon_addr}") return local_address(s.stream.fd()).ip();
    if (name == "{daemon_port}") return std::to_string(local_address(s.stream.fd()).port());
    return std::nullopt;
}

std::optional<std::string> Milters::security_macro(std::string_view name) const
{
    const Session& s = session_;
    if (name == "{auth_authen}") return unless_empty(s.sasl_user);
    if (name == "{auth_type}") return unless_empty(s.sasl_method);
    if (name == "{auth_author}") return s.mail && s.mail->mail.auth ? s.mail->mail.auth : std::nullopt;
    if (!s.tls) return std::nullopt;
    if (name == "{tls_version}") return s.tls->protocol;
    if (name == "{cipher}") return s.tls->cipher;
    if (name == "{cipher_bits}") return std::to_string(s.tls->bits_used);
    if (name == "{cert_subject}") return unless_empty(s.tls->peer_name);
    if (name == "{cert_issuer}") return unless_empty(s.tls->peer_issuer);
    return std::nullopt;
}

std::optional<std::string> Milters::macro(std::string_view name)
{
    const Session& s = session_;
    std::optional<std::string> value;
    if (name == "i" || name == "{i}")
        value = s.mail && s.mail->file ? std::optional(s.mail->file.id()) : std::nullopt;
    else if (name == "j" || name == "{j}")
        value = s.config.myhostname;
    else if (name == "v" || name == "{v}")
        value = s.config.milter_macro_v;
    else if (name == "{daemon_name}")
        value = settings_.daemon_name();
    else if (name.starts_with("{mail_"))
        value = name == "{mail_addr}" ? mail_.address : name == "{mail_host}" ? mail_.host : name == "{mail_mailer}" ? mail_.mailer : value;
    else if (name.starts_with("{rcpt_"))
        value = name == "{rcpt_addr}" ? rcpt_.address : name == "{rcpt_host}" ? rcpt_.host : name == "{rcpt_mailer}" ? rcpt_.mailer : value;
    else
        value = connection_macro(name);
    if (!value) value = security_macro(name);
    if (value) return value;
    const std::string* initial = settings_.default_value(name);
    return initial ? std::optional(*initial) : std::nullopt;
}

} // namespace smtpd
