// protocols: which versions of TLS are allowed, in Postfix's grammar: ">=TLSv1.2", "<=TLSv1.3", "TLSv1.2, TLSv1.3",
// "!SSLv3, !TLSv1".
#pragma once

#include <string>
#include <string_view>

namespace tls {

// OpenSSL's version numbers (0x0303 is TLSv1.2); 0 is no bound. What lies between, but is not wanted, is in `without`.
struct Protocols {
    int lowest = 0;
    int highest = 0;
    unsigned long without = 0; // OpenSSL's SSL_OP_NO_…

    bool operator==(const Protocols&) const = default;
};

// Throws Failed and names the word that is no protocol.
Protocols parse_protocols(std::string_view text);

} // namespace tls
