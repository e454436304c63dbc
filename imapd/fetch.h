// fetch: what FETCH can be asked for (RFC 3501 6.4.5), and its answers as values, without I/O.
#pragma once

#include "arguments.h"
#include "mail/mime.h"
#include "wire.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace imapd {

// What stands in the brackets of BODY[4.2.HEADER.FIELDS (FROM)].
struct Section {
    enum class What { all, header, fields, fields_not, text, mime };
    std::vector<uint32_t> path;
    What what = What::all;
    std::vector<std::string> fields;
    bool operator==(const Section&) const = default;
};

struct FetchItem {
    enum class What {
        flags,
        uid,
        internal_date,
        size,
        modseq,
        save_date, // answered without the file
        envelope,
        body,
        body_structure,
        section,
        binary,
        binary_size,
        preview
    };
    What what = What::flags;
    std::string label; // as it stands in the answer: "BODY[1.MIME]"
    Section section;
    bool sets_seen = false;
    bool partial = false;
    uint64_t start = 0, count = 0; // <start.count>

    bool needs_content() const { return what >= What::envelope; }
};

// "ALL", "(FLAGS BODY[])", "RFC822.SIZE" …
std::vector<FetchItem> parse_fetch_items(Arguments& arguments);

// A section's bytes: a piece of the message, or text made for the answer, or nothing when there is no such part.
struct Extract {
    enum class Kind { none, raw, made, unknown_encoding } kind = Kind::none;
    std::string_view raw;
    std::string made; // with CRLF, or as decoded
};
// whole: the tree of the message; null where the section has no numbers.
Extract extract(std::string_view message, const mail::Part* whole, const Section& section);

// BINARY[section]: the part's transfer encoding undone (RFC 3516 4.2).
Extract extract_binary(std::string_view message, const mail::Part& whole, const Section& section);

// PREVIEW: the first words of a message as a person reads them, at most 200 characters of UTF-8 (RFC 8970 2).
std::string preview_text(std::string_view message, const mail::Part& whole);

std::string envelope_text(const mail::Envelope& envelope);
// BODYSTRUCTURE; without extensions BODY.
std::string structure_text(const mail::Part& part, bool extensions);

} // namespace imapd
