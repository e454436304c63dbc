// flags: a message's system flags and keywords in one word of 32 bits. Keyword bits mean something in one mailbox only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace store {

using Flags = uint32_t;

namespace flag {
constexpr Flags seen = 1, answered = 2, flagged = 4, deleted = 8, draft = 16;
constexpr Flags recent = 32;                            // never stored, never set by a client
constexpr Flags system = seen | answered | flagged | deleted | draft;
constexpr size_t keyword_limit = 26;                    // Maildir's letters a-z
constexpr unsigned first_keyword_bit = 6;
constexpr Flags keyword(size_t index) { return Flags{1} << (first_keyword_bit + index); }
constexpr Flags keywords = ~Flags{0} << first_keyword_bit;
} // namespace flag

// Flags that travel between mailboxes: keywords by name.
struct NamedFlags {
    Flags system = 0;
    std::vector<std::string> keywords;
};

} // namespace store
