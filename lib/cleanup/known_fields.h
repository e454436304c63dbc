// known_fields: the header fields that mean something to us while mail comes in, and what.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cleanup {

namespace role {
enum : unsigned {
    sender = 1,         // its addresses are rewritten as senders
    recipient = 2,      // … as recipients
    mime = 4,           // mime_header_checks looks at it
    resent = 8,         // RFC 5322 3.6.6: the message was sent on
};
}

enum class Name : uint8_t {
    apparently_to, bcc, cc, content_description, content_disposition, content_id, content_length, content_transfer_encoding, content_type, date,
    disposition_notification_to, errors_to, from, mail_followup_to, message_id, mime_version, received, reply_to, resent_bcc, resent_cc, resent_date,
    resent_from, resent_message_id, resent_reply_to, resent_sender, resent_to, return_path, return_receipt_to, sender, to,
};
constexpr uint64_t bit(Name name) { return uint64_t{1} << static_cast<unsigned>(name); }

struct KnownField {
    std::string_view name;
    Name id;
    unsigned roles;
};
// Null when the name means nothing.
const KnownField* find_known_field(std::string_view name);

} // namespace cleanup
