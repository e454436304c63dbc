// sni_tables: certificates by the name that a client asks for: tls_server_sni_maps. Only for the files of this folder.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tls {

// For ServerSettings::certificate_for. Looks for host.example.org, .example.org, .org. A value is PEM in base64, as
// "postmap -F" stores it, or names the files of key and chain; those that a texthash: names are read now. Throws Failed
// for files that can't be read.
std::function<std::optional<std::string>(const std::string& name)> certificates_by_name(const std::vector<std::string>& tables);

} // namespace tls
