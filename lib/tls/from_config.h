// from_config: settings out of main.cf's parameters, for mandatory TLS (level encrypt and above) or opportunistic TLS.
#pragma once

#include "config/config.h"
#include "tls/settings.h"

namespace tls {

enum class Use { opportunistic, mandatory };

// smtpd_tls_…; also makes or reads the ticket secret in data_directory, and opens
// tls_server_sni_maps, so it belongs before rights are dropped.
ServerSettings server_settings(const config::Config& config, Use use);

// prefix_tls_…, where prefix is "smtp" or "lmtp".
ClientSettings client_settings(const config::Config& config, const std::string& prefix, Use use);

} // namespace tls
