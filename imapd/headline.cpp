#include "headline.h"

#include "digest.h"
#include "search.h"

#include "mail/base_subject.h"
#include "mail/date.h"
#include "mail/encoded_word.h"
#include "mail/header.h"
#include "mail/message_id.h"

namespace imapd {

namespace {

struct First {
    std::string local, display;
};

First first_of(std::string_view header, std::string_view name)
{
    auto value = mail::field_value(header, name);
    if (!value) return {};
    auto addresses = mail::parse_addresses(*value, 1);
    if (addresses.empty()) return {};
    const mail::Address& address = addresses.front();
    using Kind = mail::Address::Kind;
    // RFC 5957 3: a group's name stands for the group.
    if (address.kind == Kind::group_begin) return {fold(address.name), fold(address.name)};
    std::string display = address.name.empty() ? address.local + "@" + address.domain : mail::decode_words(address.name);
    return {fold(address.local), fold(display)};
}

} // namespace

Headline headline_of(std::string_view header, int64_t arrival)
{
    Headline line;
    line.arrival = arrival;
    auto date = mail::field_value(header, "Date");
    auto sent = date ? mail::parse_date(*date) : std::nullopt;
    line.sent = sent ? sent->unix_seconds : arrival;
    First from = first_of(header, "From"), to = first_of(header, "To");
    line.from = std::move(from.local);
    line.display_from = std::move(from.display);
    line.to = std::move(to.local);
    line.display_to = std::move(to.display);
    line.cc = first_of(header, "Cc").local;
    if (auto subject = mail::find_field(header, "Subject")) {
        auto base = mail::base_subject(subject->value);
        line.subject = fold(base.text);
        line.reply_or_forward = base.reply_or_forward;
    }
    auto id = mail::field_value(header, "Message-ID");
    auto ids = id ? mail::parse_message_ids(*id, 1) : std::vector<std::string>();
    if (!ids.empty()) line.message_id = std::move(ids.front());
    auto references = mail::field_value(header, "References");
    if (references) line.references = mail::parse_message_ids(*references);
    if (!line.references.empty()) return line;
    // RFC 5256 3: else the first of In-Reply-To.
    auto reply = mail::field_value(header, "In-Reply-To");
    if (reply) line.references = mail::parse_message_ids(*reply, 1);
    return line;
}

std::optional<Headline> read_headline(store::Mailbox& box, uint32_t uid, HeadlineParts parts)
{
    auto date = box.date(uid);
    if (!date) return std::nullopt;
    Headline line;
    line.arrival = *date;
    if (parts.header) {
        auto digest = find_digest(box, uid);
        if (!digest) {
            auto content = box.content(uid);
            if (!content) return std::nullopt;
            digest = note_digest(box, uid, content->raw());
        }
        line = headline_of(*digest, *date);
    }
    if (parts.size) {
        auto size = box.size(uid);
        if (!size) return std::nullopt;
        line.size = *size;
    }
    line.uid = uid;
    return line;
}

} // namespace imapd
