// ciphers: from Postfix's grades and exclusions to OpenSSL's cipher list. TLS 1.3 has its own suites, which are all
// good.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tls {

struct CipherGrades {
    std::string high = "aNULL:-aNULL:HIGH:@STRENGTH";
    std::string medium = "aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH";
    std::string null = "eNULL:!aNULL";
};

// grade: high, medium (also low and export, which mean medium), null. exclude: names such as aNULL, RC4, "MD5+RC4".
// Throws Failed.
std::string cipher_list(std::string_view grade, const std::vector<std::string>& exclude,
                        const CipherGrades& grades = {});

// Bits of SSL_OP_… for words of tls_ssl_options: "NO_RENEGOTIATION", "no_ticket", "0x40". Throws Failed.
unsigned long ssl_options(const std::vector<std::string>& words);

} // namespace tls
