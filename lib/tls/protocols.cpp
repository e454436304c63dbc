#include "tls/protocols.h"

#include "base/text.h"
#include "tls/error.h"

#include <openssl/ssl.h>

namespace tls {
namespace {

struct Version {
    std::string_view name;
    int number; // 0: OpenSSL has it no more, so that bounds and exclusions are fulfilled already
    unsigned long without;
};

constexpr Version versions[] = {
    {"SSLv2", 0, 0},
    {"SSLv3", SSL3_VERSION, SSL_OP_NO_SSLv3},
    {"TLSv1", TLS1_VERSION, SSL_OP_NO_TLSv1},
    {"TLSv1.0", TLS1_VERSION, SSL_OP_NO_TLSv1},
    {"TLSv1.1", TLS1_1_VERSION, SSL_OP_NO_TLSv1_1},
    {"TLSv1.2", TLS1_2_VERSION, SSL_OP_NO_TLSv1_2},
    {"TLSv1.3", TLS1_3_VERSION, SSL_OP_NO_TLSv1_3},
};

const Version& find_version(std::string_view name, std::string_view word)
{
    for (const auto& version : versions)
        if (base::same_word(version.name, name)) return version;
    throw Failed("\"" + std::string(word) +
                 "\" is no TLS protocol; expected SSLv2 … TLSv1.3, with !, >= or <= before it");
}

} // namespace

Protocols parse_protocols(std::string_view text)
{
    Protocols result;
    unsigned long all = 0, included = 0;
    for (const auto& version : versions) all |= version.without;
    bool any_included = false;
    for (auto word : base::split(text, " \t\r\n,:")) {
        if (word.starts_with(">=")) {
            result.lowest = find_version(word.substr(2), word).number;
        } else if (word.starts_with("<=")) {
            result.highest = find_version(word.substr(2), word).number;
        } else if (word.starts_with("!")) {
            result.without |= find_version(word.substr(1), word).without;
        } else {
            included |= find_version(word, word).without;
            any_included = true;
        }
    }
    if (any_included) result.without |= all & ~included;
    if (result.highest != 0 && result.lowest > result.highest)
        throw Failed("no TLS protocol is left by \"" + std::string(text) + "\"");
    if (result.without == all) throw Failed("no TLS protocol is left by \"" + std::string(text) + "\"");
    return result;
}

} // namespace tls
