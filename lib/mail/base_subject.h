// base_subject: what of a Subject stays the same through replies and forwards (RFC 5256 2.1), for sorting and threading.
#pragma once

#include <string>
#include <string_view>

namespace mail {

struct BaseSubject {
    std::string text;               // UTF-8, as written
    bool reply_or_forward = false;  // something that says so was removed
    bool operator==(const BaseSubject&) const = default;
};

// raw: the header field's value.
BaseSubject base_subject(std::string_view raw);

} // namespace mail
