// client_attributes: "NAME=value ADDR=value …" of XCLIENT and XFORWARD (Postfix's XCLIENT_README and XFORWARD_README), read and judged.
// Grammar only. All throw smtp::Syntax.
#pragma once

#include "smtp/command.h"

#include <string>
#include <string_view>
#include <vector>

namespace smtpd {

struct Attribute {
    std::string name;       // upper case
    std::string value;      // decoded from xtext; control characters are '?'
    bool unavailable() const;   // [UNAVAILABLE]
    bool try_again() const;     // [TEMPUNAVAIL]
};

// verb is for the text of the refusal.
std::vector<Attribute> read_attributes(std::string_view arguments, std::string_view verb);

// The value in its proper form, or the refusal "501 5.5.4 Bad NAME syntax: value". Unavailable is "unknown" for name and port.
std::string host_name_of(const Attribute& attribute);
std::string address_of(const Attribute& attribute);     // "192.0.2.1", "IPv6:2001:db8::1", without the prefix
std::string port_of(const Attribute& attribute);
// No bytes that could change the meaning of a header.
std::string harmless(std::string value);
[[noreturn]] void refuse_value(const Attribute& attribute);

} // namespace smtpd
