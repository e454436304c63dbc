// known_fields: the table of ADDRESS_REWRITING_README and header_checks(5).
#include "cleanup/known_fields.h"

#include "base/text.h"

#include <algorithm>
#include <iterator>

namespace cleanup {

namespace {

constexpr KnownField table[] = {
    {"apparently-to", Name::apparently_to, role::recipient},
    {"bcc", Name::bcc, role::recipient},
    {"cc", Name::cc, role::recipient},
    {"content-description", Name::content_description, role::mime},
    {"content-disposition", Name::content_disposition, role::mime},
    {"content-id", Name::content_id, role::mime},
    {"content-length", Name::content_length, 0},
    {"content-transfer-encoding", Name::content_transfer_encoding, role::mime},
    {"content-type", Name::content_type, role::mime},
    {"date", Name::date, 0},
    {"disposition-notification-to", Name::disposition_notification_to, role::sender},
    {"errors-to", Name::errors_to, role::sender},
    {"from", Name::from, role::sender},
    {"mail-followup-to", Name::mail_followup_to, role::sender},
    {"message-id", Name::message_id, 0},
    {"mime-version", Name::mime_version, role::mime},
    {"received", Name::received, 0},
    {"reply-to", Name::reply_to, role::sender},
    {"resent-bcc", Name::resent_bcc, role::recipient | role::resent},
    {"resent-cc", Name::resent_cc, role::recipient | role::resent},
    {"resent-date", Name::resent_date, role::resent},
    {"resent-from", Name::resent_from, role::sender | role::resent},
    {"resent-message-id", Name::resent_message_id, role::resent},
    {"resent-reply-to", Name::resent_reply_to, role::recipient | role::resent},
    {"resent-sender", Name::resent_sender, role::sender | role::resent},
    {"resent-to", Name::resent_to, role::recipient | role::resent},
    {"return-path", Name::return_path, role::sender},
    {"return-receipt-to", Name::return_receipt_to, role::sender},
    {"sender", Name::sender, role::sender},
    {"to", Name::to, role::recipient},
};

bool before(std::string_view a, std::string_view b)
{
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return base::lower(x) < base::lower(y); });
}

} // namespace

const KnownField* find_known_field(std::string_view name)
{
    const KnownField* found = std::lower_bound(std::begin(table), std::end(table), name, [](const KnownField& known, std::string_view wanted) {
        return before(known.name, wanted);
    });
    return found != std::end(table) && base::same_word(found->name, name) ? found : nullptr;
}

} // namespace cleanup
