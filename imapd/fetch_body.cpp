// BODY[section]: which bytes of a message a section is (RFC 3501 6.4.5).
#include "fetch.h"

#include "base/text.h"
#include "mail/header.h"
#include "mail/transfer.h"

#include <algorithm>

namespace imapd {

namespace {

using What = Section::What;

Extract raw(std::string_view bytes) { return {Extract::Kind::raw, bytes, {}}; }

bool is_named(const Section& section, std::string_view name)
{
    return std::any_of(section.fields.begin(), section.fields.end(),
                       [&](const std::string& field) { return base::same_word(field, name); });
}

// The chosen fields as they are, and the empty line that ends every header.
Extract chosen_fields(std::string_view header, const Section& section)
{
    bool wanted = section.what == What::fields;
    std::string text;
    for (const mail::Field& field : mail::Fields(header)) {
        if (is_named(section, field.name) != wanted) continue;
        append_wire(text, field.whole, 0, field.whole.size());
        if (!text.ends_with('\n')) text += "\r\n";
    }
    text += "\r\n";
    hide_nuls(text);
    return {Extract::Kind::made, {}, std::move(text)};
}

Extract of_message(std::string_view header, std::string_view body, const Section& section)
{
    if (section.what == What::text) return raw(body);
    if (section.what == What::header) return raw(header);
    return chosen_fields(header, section);
}

bool is_plain(std::string_view encoding)
{
    return encoding.empty() || base::same_word(encoding, "7bit") || base::same_word(encoding, "8bit");
}

} // namespace

Extract extract_binary(std::string_view message, const mail::Part& whole, const Section& section)
{
    if (section.path.empty()) return raw(message);
    const mail::Part* part = mail::find_part(whole, section.path);
    if (!part) return {};
    auto body = part->body.of(message);
    if (part->is_multipart() || part->is_message() || is_plain(part->encoding)) return raw(body);
    auto decoded = mail::decode_transfer(body, part->encoding);
    if (!decoded) return {Extract::Kind::unknown_encoding, {}, {}};
    return {Extract::Kind::made, {}, std::move(*decoded)};
}

Extract extract(std::string_view message, const mail::Part* whole, const Section& section)
{
    if (section.path.empty()) {
        if (section.what == What::all) return raw(message);
        size_t body = mail::header_end(message).body;
        return of_message(message.substr(0, body), message.substr(body), section);
    }
    const mail::Part* part = whole ? mail::find_part(*whole, section.path) : nullptr;
    if (!part) return {};
    if (section.what == What::all) return raw(part->body.of(message));
    if (section.what == What::mime) return raw(part->header.of(message));
    // HEADER and TEXT are those of the message inside: there is one only in message/rfc822.
    if (!part->is_message() || part->parts.empty()) return {};
    const mail::Part& inside = part->parts.front();
    return of_message(inside.header.of(message), inside.body.of(message), section);
}

} // namespace imapd
