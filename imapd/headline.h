// headline: what SORT and THREAD (RFC 5256) compare of a message.
#pragma once

#include "store/store.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace imapd {

// What is to be read: the header costs a look into the file.
struct HeadlineParts {
    bool size = false, header = false;
};

struct Headline {
    uint32_t uid = 0;
    int64_t arrival = 0, sent = 0;          // unix seconds; sent is the arrival where the header has no date
    uint64_t size = 0;
    std::string from, to, cc;               // the first address's local part, folded
    std::string display_from, display_to;   // its name or else the address, folded (RFC 5957)
    std::string subject;                    // base subject, folded
    bool reply_or_forward = false;
    std::string message_id;                 // "<…>"; empty: there is none
    std::vector<std::string> references;    // oldest first
};

// Nothing when the message is gone.
std::optional<Headline> read_headline(store::Mailbox& box, uint32_t uid, HeadlineParts parts);
// The part that comes from the header alone. arrival: see Headline.
Headline headline_of(std::string_view header, int64_t arrival);

} // namespace imapd
