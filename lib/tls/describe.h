// describe: from OpenSSL's state after a handshake to Info. Only for the files of this folder.
#pragma once

#include "tls/handles.h"
#include "tls/info.h"

#include <string>

namespace tls {

// Everything but trust beyond Trust::trusted, which is the caller's to judge.
Info describe(SSL* connection, const std::string& fingerprint_digest);

} // namespace tls
