#include "service.h"

#include "base/log.h"
#include "base/text.h"
#include "tls/from_config.h"

namespace smtpd {
namespace {

TlsLevel tls_level(const config::Config& config)
{
    std::string word = config.smtpd_tls_security_level;
    if (word == "encrypt" || config.smtpd_tls_wrappermode) return TlsLevel::encrypt;
    if (word == "may" || (word.empty() && config.smtpd_use_tls)) return TlsLevel::may;
    if (!word.empty() && word != "none") base::log::warning("smtpd_tls_security_level: unknown level \"{}\": TLS is mandatory", word);
    return word.empty() || word == "none" ? TlsLevel::none : TlsLevel::encrypt;
}

smtp::BareNewline bare_newline(const std::string& word)
{
    if (word == "no") return smtp::BareNewline::accept_lines;
    return word == "reject" ? smtp::BareNewline::reject : smtp::BareNewline::normalize;    // "yes" and "normalize"
}

} // namespace

Service::Service(const config::Config& configuration, async::Nursery& nursery, bool is_letterbox, dns::Options dns)
    : config(configuration), letterbox(is_letterbox), router(config), recipients(config, router), address_maps(config, router), restriction_lists(config),
      trusted_networks(config.find("mynetworks").value_or("")), bare_newline_exceptions(config.find("smtpd_forbid_bare_newline_exclusions").value_or("")),
      limit_exceptions(config.find("smtpd_client_event_limit_exceptions").value_or("")),
      maker(config.queue_directory + "/private/qmgr", nursery), resolver(std::move(dns))
{
    bare_newline = smtpd::bare_newline(base::lower(config.smtpd_forbid_bare_newline));
    for (const auto& word : config.smtpd_discard_ehlo_keywords) hidden_keywords.insert(base::lower(word));
    banner = config.smtpd_banner;
    if (letterbox) return;
    tls_level = smtpd::tls_level(config);
    if (tls_level != TlsLevel::none) {
        try {
            tls.emplace(tls::server_settings(config, tls_level == TlsLevel::encrypt ? tls::Use::mandatory : tls::Use::opportunistic));
        } catch (const tls::Failed& failure) {
            base::log::warning("TLS is not available: {}", failure.what());
        }
    }
    if (config.smtpd_sasl_auth_enable) {
        // Ours and Dovecot's auth speak the same protocol; smtpd_sasl_path = smtpd is Cyrus' default and names no socket.
        std::string path = config.smtpd_sasl_path == "smtpd" ? "private/auth" : config.smtpd_sasl_path;
        if (path[0] != '/' && !base::starts_with_word(path, "inet:")) path = config.queue_directory + "/" + path;
        auth = std::make_unique<sasl::AuthClient>(path);
    }
}

bool Service::connected(const std::string& address)
{
    int64_t count = ++connections_[address];
    int64_t limit = config.smtpd_client_connection_count_limit;
    return limit <= 0 || count <= limit;
}

void Service::disconnected(const std::string& address)
{
    auto found = connections_.find(address);
    if (found != connections_.end() && --found->second <= 0) connections_.erase(found);
}

} // namespace smtpd
