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
    if (word == "reject") return smtp::BareNewline::reject;
    if (word != "normalize" && word != "yes" && word != "note")
        base::log::warning("smtpd_forbid_bare_newline: unknown value \"{}\": normalize", word);
    return smtp::BareNewline::normalize;
}

std::string service_name(const config::Config& config)
{
    auto name = config.find("service_name");
    return name && !name->empty() ? *name : "smtpd";
}

bool flush_parents_match(const config::Config& config)
{
    auto lists = config.list("parent_domain_matches_subdomains");
    return std::find(lists.begin(), lists.end(), "fast_flush_domains") != lists.end();
}

bool speaks_lmtp(const config::Config& config)
{
    std::string word = base::lower(config.smtpd_protocol);
    if (word != "smtp" && word != "lmtp") base::log::warning("smtpd_protocol: unknown value \"{}\": smtp", word);
    return word == "lmtp";
}

} // namespace

Service::Service(const config::Config& configuration, async::Nursery& nursery, bool is_letterbox, dns::Options dns, base::Fd shared)
    : config(configuration), letterbox(is_letterbox), lmtp(!is_letterbox && speaks_lmtp(config)), name(service_name(config)),
      router(config), recipients(config, router), rules(config, router), restriction_lists(config),
      trusted_networks(config.find("mynetworks").value_or("")), rewrite_clients(config),
      bare_newline_exceptions(config.find("smtpd_forbid_bare_newline_exclusions").value_or("")),
      limit_exceptions(config.find("smtpd_client_event_limit_exceptions").value_or("")),
      maker(config.queue_directory + "/private/qmgr", nursery), resolver(std::move(dns)),
      xclient_hosts(config.find("smtpd_authorized_xclient_hosts").value_or("")),
      xforward_hosts(config.find("smtpd_authorized_xforward_hosts").value_or("")),
      noop_commands(config.find("smtpd_noop_commands").value_or(""), maps::Matching::strings),
      forbidden_commands(config.find("smtpd_forbidden_commands").value_or(""), maps::Matching::strings),
      flushable_domains(config.find("fast_flush_domains").value_or(""), maps::Matching::domains, {flush_parents_match(config), {}}), counts(std::move(shared)),
      milters(config, is_letterbox),
      hidden_keyword_maps_(config.smtpd_discard_ehlo_keyword_address_maps)
{
    std::string newline_word = base::lower(config.smtpd_forbid_bare_newline);
    bare_newline = smtpd::bare_newline(newline_word);
    note_bare_newline = newline_word == "note";
    if (!config.smtpd_command_filter.empty()) command_filter = maps::open(config.smtpd_command_filter);
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
        sasl_rules.emplace(config);
        auth = std::make_unique<sasl::AuthClient>(path);
    }
}

std::set<std::string> Service::hidden_keywords_for(const std::string& address)
{
    auto found = hidden_keyword_maps_.find(address);
    std::set<std::string> words;
    if (found)
        for (auto word : base::split(*found)) words.insert(base::lower(word));
    else
        for (const auto& word : config.smtpd_discard_ehlo_keywords) words.insert(base::lower(word));
    return words;
}

} // namespace smtpd
