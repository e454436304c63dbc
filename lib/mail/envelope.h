// envelope: the few header fields that a mail program lists (IMAP's ENVELOPE).
#pragma once

#include "mail/address.h"

namespace mail {

struct Envelope {
    // Raw values, unfolded; encoded words are the mail program's to decode. Nothing: the field is absent.
    std::optional<std::string> date, subject, in_reply_to, message_id;
    // sender and reply_to fall back to from when absent or empty, as RFC 9051 7.5.2 wants.
    std::vector<Address> from, sender, reply_to, to, cc, bcc;
    bool operator==(const Envelope&) const = default;
};

Envelope parse_envelope(std::string_view header);

} // namespace mail
