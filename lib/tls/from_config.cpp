#include "tls/from_config.h"

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "tls/sni_tables.h"
#include "tls/ticket_keys.h"

namespace tls {
namespace {

void append(std::vector<std::string>& list, const std::vector<std::string>& more)
{
    list.insert(list.end(), more.begin(), more.end());
}

CipherGrades cipher_grades(const config::Config& config)
{
    CipherGrades grades;
    grades.high = config.tls_high_cipherlist;
    grades.medium = config.tls_medium_cipherlist;
    grades.null = config.tls_null_cipherlist;
    return grades;
}

void fill_common(CommonSettings& settings, const config::Config& config)
{
    settings.grades = cipher_grades(config);
    settings.ssl_options = config.tls_ssl_options;
    settings.groups = base::join(config.tls_eecdh_auto_curves, " ");
}

std::string ticket_secret(const config::Config& config)
{
    try {
        return shared_ticket_secret(config.data_directory + "/tls_ticket_secret");
    } catch (const base::SystemError& failure) {
        base::log::debug("sessions of TLS are resumed by the same process only: {}", failure.what());
        return {};
    }
}

} // namespace

ServerSettings server_settings(const config::Config& config, Use use)
{
    bool mandatory = use == Use::mandatory;
    ServerSettings settings;
    fill_common(settings, config);
    settings.chain_files = config.smtpd_tls_chain_files;
    // As in Postfix, chain files make the older parameters void.
    if (settings.chain_files.empty()) {
        settings.cert_file = config.smtpd_tls_cert_file;
        settings.key_file = config.smtpd_tls_key_file;
        settings.more_cert_file = config.smtpd_tls_eccert_file;
        settings.more_key_file = config.smtpd_tls_eckey_file;
        settings.third_cert_file = config.smtpd_tls_dcert_file;
        settings.third_key_file = config.smtpd_tls_dkey_file;
    }
    if (!config.tls_server_sni_maps.empty()) settings.certificate_for = certificates_by_name(config.tls_server_sni_maps);
    settings.verify_depth = static_cast<int>(config.smtpd_tls_ccert_verifydepth);
    settings.ca_file = config.smtpd_tls_CAfile;
    settings.ca_path = config.smtpd_tls_CApath;
    settings.protocols = base::join(mandatory ? config.smtpd_tls_mandatory_protocols : config.smtpd_tls_protocols, " ");
    settings.cipher_grade = mandatory ? config.smtpd_tls_mandatory_ciphers : config.smtpd_tls_ciphers;
    settings.exclude_ciphers = config.smtpd_tls_exclude_ciphers;
    if (mandatory) append(settings.exclude_ciphers, config.smtpd_tls_mandatory_exclude_ciphers);
    settings.fingerprint_digest = config.smtpd_tls_fingerprint_digest;
    settings.server_order = config.tls_preempt_cipherlist;
    settings.ask_certificate = config.smtpd_tls_ask_ccert || config.smtpd_tls_req_ccert;
    settings.require_certificate = config.smtpd_tls_req_ccert && mandatory;
    settings.dh_file = config.smtpd_tls_dh1024_param_file;
    settings.session_lifetime = static_cast<int>(
        std::chrono::duration_cast<std::chrono::seconds>(config.smtpd_tls_session_cache_timeout).count());
    settings.ticket_secret = ticket_secret(config);
    return settings;
}

ClientSettings client_settings(const config::Config& config, const std::string& prefix, Use use)
{
    bool mandatory = use == Use::mandatory;
    auto text = [&](const char* name) { return config.find(prefix + name).value_or(""); };
    auto list = [&](const char* name) { return config.list(prefix + name); };
    ClientSettings settings;
    fill_common(settings, config);
    settings.chain_files = list("_tls_chain_files");
    if (settings.chain_files.empty()) {
        settings.cert_file = text("_tls_cert_file");
        settings.key_file = text("_tls_key_file");
        settings.more_cert_file = text("_tls_eccert_file");
        settings.more_key_file = text("_tls_eckey_file");
    }
    settings.ca_file = text("_tls_CAfile");
    settings.ca_path = text("_tls_CApath");
    settings.protocols = text(mandatory ? "_tls_mandatory_protocols" : "_tls_protocols");
    settings.cipher_grade = text(mandatory ? "_tls_mandatory_ciphers" : "_tls_ciphers");
    settings.exclude_ciphers = list("_tls_exclude_ciphers");
    if (mandatory) append(settings.exclude_ciphers, list("_tls_mandatory_exclude_ciphers"));
    settings.fingerprint_digest = text("_tls_fingerprint_digest");
    settings.append_default_ca = config.tls_append_default_CA;
    settings.verify_depth = static_cast<int>(config.number(prefix + "_tls_scert_verifydepth"));
    settings.session_lifetime = static_cast<int>(
        std::chrono::duration_cast<std::chrono::seconds>(config.seconds(prefix + "_tls_session_cache_timeout")).count());
    return settings;
}

} // namespace tls
