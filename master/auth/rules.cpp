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
    rules.failure_delay = config.auth_failure_delay;
    rules.first_valid_uid = static_cast<uid_t>(config.first_valid_uid);
    rules.last_valid_uid = static_cast<uid_t>(config.last_valid_uid);
    rules.first_valid_gid = static_cast<gid_t>(config.first_valid_gid);
    rules.last_valid_gid = static_cast<gid_t>(config.last_valid_gid);
    return rules;
}

} // namespace auth
