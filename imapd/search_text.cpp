// The words of a message as a person reads them: for SEARCH BODY and TEXT.
#include "search.h"

#include "base/text.h"
#include "mail/address.h"
#include "mail/charset.h"
#include "mail/encoded_word.h"
#include "mail/header.h"
#include "mail/transfer.h"

namespace imapd {

namespace {

constexpr size_t text_limit = 8 << 20; // of one message; what comes after is not searched

void add_text(std::string_view message, const mail::Part& part, std::string& out)
{
    auto bytes = mail::decode_transfer(part.body.of(message), part.encoding, text_limit - out.size());
    if (!bytes) return;
    const std::string* charset = mail::find_parameter(part.parameters, "charset");
    std::optional<std::string> text;
    // 8-bit bytes in a text that calls itself ASCII are something else: a guess is better than nothing.
    bool claims_ascii = !charset || base::same_word(*charset, "us-ascii");
    if (!claims_ascii) text = mail::to_utf8(*bytes, *charset, text_limit);
    if (!text) text = mail::guess_to_utf8(*bytes);
    out += fold(*text);
    out += '\n';
}

void add_header(std::string_view header, std::string& out)
{
    for (const mail::Field& field : mail::Fields(header)) {
        if (out.size() >= text_limit) return;
        out += fold(field.name);
        out += ": ";
        out += fold(mail::decode_words(field.value));
        out += '\n';
    }
}

void add_bodies(std::string_view message, const mail::Part& part, std::string& out)
{
    if (out.size() >= text_limit) return;
    if (part.parts.empty() && part.type == "text") add_text(message, part, out);
    // A message inside a message is body, with its header.
    if (part.is_message() && !part.parts.empty()) add_header(part.parts.front().header.of(message), out);
    for (const auto& inner : part.parts) add_bodies(message, inner, out);
}

void add_part_headers(std::string_view message, const mail::Part& part, std::string& out)
{
    add_header(part.header.of(message), out);
    for (const auto& inner : part.parts) add_part_headers(message, inner, out);
}

} // namespace

std::string fold(std::string_view utf8) { return mail::fold_case(utf8); }

std::string searchable_body(std::string_view message)
{
    std::string out;
    add_bodies(message, mail::parse_mime(message), out);
    return out;
}

std::string searchable_headers(std::string_view message)
{
    std::string out;
    add_part_headers(message, mail::parse_mime(message), out);
    return out;
}

} // namespace imapd
