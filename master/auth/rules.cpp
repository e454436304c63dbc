#include "rules.h"

#include "base/text.h"

namespace auth {
namespace {

// mydestination may also name tables; those are for routing, not for names of people.
std::vector<std::string> local_domains(const config::Config& config)
{
    std::vector<std::string> domains{base::lower(config.myhostname), base::lower(config.mydomain)};
    for (const auto& entry : config.mydestination)
        if (entry.find_first_of(":/!") == std::string::npos) domains.push_back(base::lower(entry));
    return domains;
}

// Dovecot's "fs:posix:prefix=/etc/rookpost/keys/" is the folder's name as well.
std::string key_folder(std::string_view dict)
{
    constexpr std::string_view driver = "fs:posix:prefix=";
    if (dict.starts_with(driver)) dict.remove_prefix(driver.size());
    while (dict.size() > 1 && dict.ends_with('/')) dict.remove_suffix(1);
    return std::string(dict);
}

} // namespace

Rules rules_of(const config::Config& config)
{
    Rules rules;
    rules.names.format = config.auth_username_format;
    rules.names.allowed = config.auth_username_chars;
    rules.names.default_realm = config.auth_default_realm;
    rules.names.local_domains = local_domains(config);
    rules.mechanisms = config.auth_mechanisms;
    rules.passwd_files = config.passdb_file;
    rules.pam = config.auth_pam;
    rules.pam_service = config.auth_pam_service;
    rules.passdbs = config.auth_passdbs;
    rules.master_files = config.auth_master_passwd_files;
    rules.master_separator = config.auth_master_user_separator;
    rules.cache_size = static_cast<size_t>(config.auth_cache_size);
    rules.cache_lifetime = config.auth_cache_ttl;
    rules.cache_wrong_lifetime = config.auth_cache_negative_ttl;
    rules.oauth.key_folder = key_folder(config.oauth2_local_validation_key_dict);
    rules.oauth.username_attribute = config.oauth2_username_attribute;
    rules.oauth.issuers = config.oauth2_issuers;
    rules.oauth.scope = config.oauth2_scope;
    rules.oauth.client_id = config.oauth2_client_id;
    rules.oauth.openid_configuration_url = config.oauth2_openid_configuration_url;
    rules.failure_delay = config.auth_failure_delay;
    rules.penalty = config.auth_penalty;
    rules.first_valid_uid = static_cast<uid_t>(config.first_valid_uid);
    rules.last_valid_uid = static_cast<uid_t>(config.last_valid_uid);
    rules.first_valid_gid = static_cast<gid_t>(config.first_valid_gid);
    rules.last_valid_gid = static_cast<gid_t>(config.last_valid_gid);
    return rules;
}

} // namespace auth
