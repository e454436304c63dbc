// mime: the tree of parts of a message (RFC 2045-2047, 2183, 3282, 2557), read in one pass over its bytes, CRLF or LF
// lines. Broken MIME never fails: a missing boundary ends at the end of the enclosing part, a broken type is text/plain
// or opaque.
#pragma once

#include "mail/encoded_word.h"
#include "mail/envelope.h"

#include <cstdint>
#include <span>

namespace mail {

struct Range {
    uint64_t offset = 0, size = 0; // in the message as it lies in memory
    std::string_view of(std::string_view message) const { return message.substr(offset, size); }
    bool operator==(const Range&) const = default;
};

struct Disposition {
    std::string type; // lower case
    std::vector<Parameter> parameters;
    bool operator==(const Disposition&) const = default;
};

struct Part {
    std::string type = "text", subtype = "plain"; // lower case
    // Raw, see parse_raw_parameters; "charset" = "us-ascii" is added where RFC 2045 5.2 implies it.
    std::vector<Parameter> parameters;
    std::optional<std::string> id, description, md5, location;
    std::string encoding = "7bit"; // as written
    std::optional<Disposition> disposition;
    std::vector<std::string> languages;
    Range header; // with the empty line
    Range body;
    uint64_t header_octets = 0;       // sizes with every line end counted as CRLF, as IMAP speaks them
    uint64_t octets = 0;              // of the body
    uint64_t lines = 0;               // of the body
    std::optional<Envelope> envelope; // message/rfc822: of the message inside
    std::vector<Part> parts;          // multipart: its parts; message/rfc822: one, the message inside

    bool is_multipart() const { return type == "multipart"; }
    bool is_message() const { return type == "message" && (subtype == "rfc822" || subtype == "global"); }
    bool operator==(const Part&) const = default;
};

struct MimeLimits {
    size_t depth = 50;     // deeper parts are leaves
    size_t parts = 10000;  // what follows is not divided any more
    size_t boundary = 200; // longest boundary that is honoured; RFC 2046 5.1.1: 70
};

Part parse_mime(std::string_view message, const MimeLimits& limits = {});

// IMAP's section numbers (RFC 9051 6.4.5): {} is the message itself, {4,2} part 2 of part 4, with the odd rule that
// part 1 of a message that is not multipart is its body. Null when there is no such part.
const Part* find_part(const Part& root, std::span<const uint32_t> path);
// Size of bytes with every line end counted as CRLF, and the number of line ends.
struct WireSize {
    uint64_t octets, lines;
};
WireSize wire_size(std::string_view bytes);

} // namespace mail
