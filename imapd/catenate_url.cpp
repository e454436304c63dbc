#include "catenate_url.h"

#include "base/text.h"
#include "store/utf7.h"

namespace imapd {

namespace {

constexpr size_t longest_url = 4096;

std::optional<std::string> percent_decoded(std::string_view text)
{
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        auto byte = base::from_hex(text.substr(i + 1, 2));
        if (!byte || byte->size() != 1 || byte->front() == '\0') return std::nullopt;
        out += *byte;
        i += 2;
    }
    return out;
}

// Cuts ";NAME=" value off at the next '/', if it stands there. False: it does, without a value.
bool take_value(std::string_view& rest, std::string_view name, std::optional<std::string>& value)
{
    if (!base::starts_with_word(rest, name)) return true;
    rest.remove_prefix(name.size());
    size_t end = std::min(rest.find('/'), rest.size());
    value = percent_decoded(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return value && !value->empty();
}

std::optional<Section> parse_section(const std::string& text)
{
    try {
        std::string item = "BODY.PEEK[" + text + "]";
        Arguments arguments(item);
        auto items = parse_fetch_items(arguments);
        arguments.end();
        return items.front().section;
    } catch (const Bad&) {
        return std::nullopt;
    }
}

bool parse_partial(std::string_view text, MessageUrl& url)
{
    auto cut = base::cut(text, '.');
    url.start = base::number<uint64_t>(cut.before);
    if (cut.found) url.count = base::number<uint64_t>(cut.after);
    return url.start && (!cut.found || url.count);
}

// "INBOX;UIDVALIDITY=1"
bool parse_mailbox(std::string_view text, MessageUrl& url)
{
    auto cut = base::cut(text, ';');
    if (cut.found) {
        if (!base::starts_with_word(cut.after, "UIDVALIDITY=")) return false;
        url.uid_validity = base::number<uint32_t>(cut.after.substr(12));
        if (!url.uid_validity) return false;
    }
    // RFC 5092 4: names in URLs are UTF-8.
    auto name = percent_decoded(cut.before);
    if (!name || name->empty() || !base::is_utf8(*name)) return false;
    url.mailbox = base::same_word(*name, "INBOX") ? "INBOX" : *name;
    return true;
}

} // namespace

std::optional<MessageUrl> parse_message_url(std::string_view text)
{
    if (text.size() > longest_url || !text.starts_with('/')) return std::nullopt;
    text.remove_prefix(1);
    MessageUrl url;
    size_t uid_at = base::find_word(text, ";UID=");
    if (uid_at == std::string_view::npos) return std::nullopt;
    if (uid_at > 0 && (text[uid_at - 1] != '/' || !parse_mailbox(text.substr(0, uid_at - 1), url))) return std::nullopt;
    std::string_view rest = text.substr(uid_at);
    std::optional<std::string> uid, section, partial;
    if (!take_value(rest, ";UID=", uid) || !take_value(rest, ";SECTION=", section) || !take_value(rest, ";PARTIAL=", partial)) return std::nullopt;
    auto number = base::number<uint32_t>(*uid);
    if (!rest.empty() || !number || *number == 0) return std::nullopt;
    url.uid = *number;
    if (section) {
        auto parsed = parse_section(*section);
        if (!parsed) return std::nullopt;
        url.section = std::move(*parsed);
    }
    if (partial && !parse_partial(*partial, url)) return std::nullopt;
    return url;
}

std::optional<std::string> read_url_part(Session& session, std::string_view text)
{
    auto url = parse_message_url(text);
    if (!url) return std::nullopt;
    std::unique_ptr<store::Mailbox> other;
    store::Mailbox* box = session.mail.box.get();
    if (!url->mailbox.empty()) {
        other = session.mail.store->open(url->mailbox, store::Access::read_only);
        box = other.get();
    }
    if (!box || (url->uid_validity && *url->uid_validity != box->uid_validity())) return std::nullopt;
    auto content = box->content(url->uid);
    if (!content) return std::nullopt;
    mail::Part whole = mail::parse_mime(content->raw());
    Extract found = extract(content->raw(), &whole, url->section);
    if (found.kind == Extract::Kind::none) return std::nullopt;
    std::string bytes = std::move(found.made);
    if (found.kind == Extract::Kind::raw) append_wire(bytes, found.raw, 0, found.raw.size());
    if (url->start) bytes = *url->start > bytes.size() ? std::string() : bytes.substr(*url->start, url->count.value_or(std::string::npos));
    return bytes;
}

} // namespace imapd
