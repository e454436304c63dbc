#include "digest.h"

#include "base/text.h"
#include "mail/header.h"

#include <algorithm>

namespace imapd {

namespace {

using Kind = store::Notes::Kind;
constexpr size_t digest_limit = 16 << 10;

// Another list means another number in store::Notes::Kind.
constexpr std::string_view fields[] = {
    "Date", "From", "Subject", "To", "Message-ID", "Cc", "References", "In-Reply-To", "Sender", "Reply-To", "Bcc", "Content-Type",
    "Newsgroups", "Importance", "Priority", "X-Priority", "List-Id", "List-Post", "Resent-From", "Resent-Date", "Followup-To",
    "Disposition-Notification-To", "X-Draft-Info", "X-Spam-Flag", "X-Label", "Lines",
};

} // namespace

bool is_digested(std::string_view field)
{
    return std::any_of(std::begin(fields), std::end(fields), [&](std::string_view known) { return base::same_word(known, field); });
}

std::optional<std::string> find_digest(store::Mailbox& box, uint32_t uid)
{
    auto noted = box.notes().find(uid, Kind::fields);
    if (!noted) return std::nullopt;
    return std::string(*noted);
}

std::string note_digest(store::Mailbox& box, uint32_t uid, std::string_view message)
{
    std::string digest;
    for (const mail::Field& field : mail::Fields(message)) {
        if (!is_digested(field.name)) continue;
        digest += field.whole;
        if (!digest.ends_with('\n')) digest += '\n';
    }
    if (digest.size() <= digest_limit) box.notes().add(uid, Kind::fields, digest);
    return digest;
}

} // namespace imapd
