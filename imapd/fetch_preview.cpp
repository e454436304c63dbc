// PREVIEW: the first words of a message.
#include "fetch.h"

#include "base/text.h"
#include "mail/charset.h"
#include "mail/transfer.h"

namespace imapd {

namespace {

constexpr size_t characters = 200;  // RFC 8970 3.1
constexpr size_t bytes_read = 16 << 10;

// The first text that is shown: plain before HTML.
const mail::Part* first_text(const mail::Part& part, std::string_view subtype)
{
    bool attached = part.disposition && base::same_word(part.disposition->type, "attachment");
    if (part.parts.empty() && part.type == "text" && part.subtype == subtype && !attached) return &part;
    for (const auto& inner : part.parts)
        if (const mail::Part* found = first_text(inner, subtype)) return found;
    return nullptr;
}

std::string without_tags(std::string_view html)
{
    std::string out;
    while (!html.empty()) {
        size_t tag = html.find('<');
        out += html.substr(0, tag);
        if (tag == std::string_view::npos) break;
        html.remove_prefix(tag);
        // What stands inside of these is not to be read.
        for (std::string_view hidden : {"style", "script", "head", "title"}) {
            if (!base::starts_with_word(html.substr(1), hidden)) continue;
            size_t end = base::find_word(html, "</" + std::string(hidden));
            html.remove_prefix(std::min(end, html.size()));
            break;
        }
        size_t end = html.find('>');
        html.remove_prefix(end == std::string_view::npos ? html.size() : end + 1);
        out += ' ';
    }
    for (auto [name, text] : {std::pair{"&nbsp;", " "}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&amp;", "&"}})
        out = base::replace_all(out, name, text);
    return out;
}

// Words with one space between them, cut between characters.
std::string shortened(std::string_view text)
{
    std::string out;
    size_t count = 0;
    for (char c : text) {
        bool starts_character = (static_cast<unsigned char>(c) & 0xc0) != 0x80;
        bool blank = static_cast<unsigned char>(c) <= ' ' || c == 0x7f;
        if (blank && (out.empty() || out.back() == ' ')) continue;
        if (starts_character && ++count > characters) break;
        out += blank ? ' ' : c;
    }
    while (!out.empty() && out.back() == ' ') out.pop_back();
    return out;
}

} // namespace

std::string preview_text(std::string_view message, const mail::Part& whole)
{
    const mail::Part* part = first_text(whole, "plain");
    bool html = !part;
    if (html) part = first_text(whole, "html");
    if (!part) return {};
    auto bytes = mail::decode_transfer(part->body.of(message).substr(0, bytes_read), part->encoding, bytes_read);
    if (!bytes) return {};
    const std::string* charset = mail::find_parameter(part->parameters, "charset");
    std::optional<std::string> text;
    if (charset && !base::same_word(*charset, "us-ascii")) text = mail::to_utf8(*bytes, *charset);
    if (!text) text = mail::guess_to_utf8(*bytes);
    return shortened(html ? without_tags(*text) : *text);
}

} // namespace imapd
