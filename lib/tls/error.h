// error: why TLS could not be had, in OpenSSL's words where it has any.
#pragma once

#include <stdexcept>
#include <string>

namespace tls {

// A handshake failed, a certificate was refused, or a setting or key file is of no use.
class Failed : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// What OpenSSL has to say about the last failure, oldest reason first; "" when it says nothing. Empties its queue.
std::string openssl_reasons();

} // namespace tls
