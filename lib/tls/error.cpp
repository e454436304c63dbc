#include "tls/error.h"

#include <openssl/err.h>

namespace tls {

std::string openssl_reasons()
{
    std::string reasons;
    const char* data = nullptr;
    int flags = 0;
    while (unsigned long code = ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags)) {
        const char* reason = ERR_reason_error_string(code);
        if (!reasons.empty()) reasons += ": ";
        reasons += reason ? reason : "error " + std::to_string(code);
        if ((flags & ERR_TXT_STRING) && data && *data) reasons += std::string(" (") + data + ")";
    }
    return reasons;
}

} // namespace tls
