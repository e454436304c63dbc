// maildir_name: the names of message files, "time.unique.host,S=size,W=size with CRLF:2,FLAGS", written and read.
#pragma once

#include "store/flags.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace store {

struct MaildirName {
    std::string_view base;                      // what never changes: everything before ':'
    Flags flags = 0;
    std::optional<uint64_t> size, crlf_size;    // S= and W=
    std::string_view foreign;                   // letters after ":2," that we do not know (P of mutt …), to be kept
};

MaildirName parse_maildir_name(std::string_view name);      // views point into name; any name has a meaning
std::string_view maildir_base(std::string_view name);

// ":2," and the letters in ASCII order. foreign letters are kept.
std::string maildir_info(Flags flags, std::string_view foreign = {});

// "1700000000.M123456P4711Q3.host": never given twice on this host.
std::string unique_maildir_name();

} // namespace store
