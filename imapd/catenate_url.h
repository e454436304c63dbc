// catenate_url: the IMAP URLs (RFC 5092) that name a message, or a part of one, of the user's own.
#pragma once

#include "fetch.h"
#include "session.h"

namespace imapd {

// "/INBOX;UIDVALIDITY=385759045/;UID=20/;SECTION=1.2.MIME/;PARTIAL=0.1024", or "/;UID=20…" for the selected mailbox.
struct MessageUrl {
    std::string mailbox; // UTF-8; empty: the selected one
    std::optional<uint32_t> uid_validity;
    uint32_t uid = 0;
    Section section;
    std::optional<uint64_t> start, count;
};
// Nothing for any other URL.
std::optional<MessageUrl> parse_message_url(std::string_view url);

// The bytes with CRLF line ends; nothing when there is no such message or part.
std::optional<std::string> read_url_part(Session& session, std::string_view url);

} // namespace imapd
