#include "tls/ciphers.h"

#include "base/text.h"
#include "tls/error.h"

#include <openssl/ssl.h>

#include <algorithm>
#include <iterator>

namespace tls {
namespace {

struct Option {
    std::string_view name;
    unsigned long bits;
};

// Postfix's names for tls_ssl_options.
constexpr Option options[] = {
    {"ENABLE_MIDDLEBOX_COMPAT", SSL_OP_ENABLE_MIDDLEBOX_COMPAT},
    {"LEGACY_SERVER_CONNECT", SSL_OP_LEGACY_SERVER_CONNECT},
    {"NO_ANTI_REPLAY", SSL_OP_NO_ANTI_REPLAY},
    {"NO_COMPRESSION", SSL_OP_NO_COMPRESSION},
    {"NO_ENCRYPT_THEN_MAC", SSL_OP_NO_ENCRYPT_THEN_MAC},
    {"NO_EXTENDED_MASTER_SECRET", SSL_OP_NO_EXTENDED_MASTER_SECRET},
    {"NO_RENEGOTIATION", SSL_OP_NO_RENEGOTIATION},
    {"NO_SESSION_RESUMPTION_ON_RENEGOTIATION", SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION},
    {"NO_TICKET", SSL_OP_NO_TICKET},
    {"PRIORITIZE_CHACHA", SSL_OP_PRIORITIZE_CHACHA},
    {"TLSEXT_PADDING", SSL_OP_TLSEXT_PADDING},
};

const std::string& grade_list(std::string_view grade, const CipherGrades& grades)
{
    if (base::same_word(grade, "high")) return grades.high;
    if (base::same_word(grade, "null")) return grades.null;
    for (auto word : {"medium", "low", "export"})
        if (base::same_word(grade, word)) return grades.medium;
    throw Failed("\"" + std::string(grade) + "\" is no cipher grade; expected high, medium or null");
}

} // namespace

std::string cipher_list(std::string_view grade, const std::vector<std::string>& exclude, const CipherGrades& grades)
{
    std::string list = grade_list(grade, grades);
    for (const auto& entry : exclude) {
        for (auto word : base::split(entry, " \t\r\n,:")) {
            if (std::string_view("!+-@").find(word.front()) != std::string_view::npos)
                throw Failed("can't exclude \"" + std::string(word) +
                             "\": expected a cipher's name such as aNULL or RC4");
            list += ":!";
            list += word;
        }
    }
    return list;
}

unsigned long ssl_options(const std::vector<std::string>& words)
{
    unsigned long bits = 0;
    for (const auto& word : words) {
        if (word.starts_with("0x") || word.starts_with("0X")) {
            auto number = base::number<unsigned long>(std::string_view(word).substr(2), 16);
            if (!number) throw Failed("\"" + word + "\" is no hexadecimal number");
            bits |= *number;
            continue;
        }
        auto* found = std::find_if(std::begin(options), std::end(options),
                                   [&](const Option& o) { return base::same_word(o.name, word); });
        if (found == std::end(options))
            throw Failed("\"" + word + "\" is no TLS option; expected a name such as NO_RENEGOTIATION, or 0x…");
        bits |= found->bits;
    }
    return bits;
}

} // namespace tls
