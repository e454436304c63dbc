// ehlo: what a server says it can do, from its reply to EHLO.
#pragma once

#include "smtp/reply.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace smtp {

struct Capabilities {
    std::string host;      // first word of the greeting line
    bool extended = false; // it was EHLO; all below is false after HELO
    bool pipelining = false, eightbitmime = false, starttls = false, chunking = false, binarymime = false,
         smtputf8 = false, dsn = false, enhancedstatuscodes = false, requiretls = false, etrn = false, vrfy = false,
         size_known = false;
    uint64_t size = 0;                                           // 0: no limit stated
    std::vector<std::string> auth;                               // mechanisms, upper case, each once
    std::vector<std::string> xclient, xforward;                  // attributes, upper case
    std::optional<uint32_t> mail_max, rcpt_max, rcpt_domain_max; // RFC 9422 LIMITS
    std::vector<std::string> keywords; // every keyword line, upper case keyword first, as said

    bool offers(std::string_view keyword) const;
};

// Keywords to ignore (smtp_discard_ehlo_keywords) are separated by space or comma, any case.
Capabilities parse_ehlo(const Reply& reply, std::string_view discard = {});

} // namespace smtp
