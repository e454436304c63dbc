// responses: what a client says in a SASL exchange, as SMTP, IMAP and POP3 write it: base64, "=" and "*".
#pragma once

#include "sasl/secret.h"

#include <optional>
#include <string_view>

namespace sasl {

inline constexpr size_t longest_response = 12288; // RFC 4954 4: base64 of a line, at least that long

// RFC 4422 3.1: letters, digits, "-" and "_", at most 20.
bool is_mechanism_name(std::string_view name);

// The initial response beside the mechanism. RFC 4954 4, RFC 4959 3, RFC 5034 4: "=" is the empty one. Nothing when it
// is not base64.
std::optional<Secret> decode_initial(std::string_view text);

// A line of the client in the middle of an exchange.
struct Response {
    enum Kind { data, cancelled, malformed } kind = malformed;
    Secret bytes;
};
Response decode_response(std::string_view line); // RFC 4954 4: "*" gives up

} // namespace sasl
