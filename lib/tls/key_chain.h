// key_chain: private keys and their certificates out of PEM. Only for the files of this folder.
#pragma once

#include "tls/handles.h"

#include <string>
#include <string_view>
#include <vector>

namespace tls {

struct KeyChain {
    KeyHandle key;
    std::vector<CertificateHandle> certificates; // the key's own one first
};

// Every key of the text with the certificates that belong to it: those after a key when the text begins with one, else
// those before. Throws Failed with `name`, for a key without certificate, or the other way round, or one that is locked
// by a password.
std::vector<KeyChain> read_key_chains(std::string_view pem, const std::string& name);

void use(SSL_CTX* context, const KeyChain& chain, const std::string& name);
bool use(SSL* connection, const KeyChain& chain);

} // namespace tls
