// header: fields are found by line; folding and unfolding.
#include "mail/header.h"

#include "base/text.h"
#include "mail/encoded_word.h"

#include <algorithm>

namespace mail {

namespace {

// Offset after the line that begins at from.
size_t next_line(std::string_view text, size_t from)
{
    const size_t lf = text.find('\n', from);
    return lf == std::string_view::npos ? text.size() : lf + 1;
}

std::string_view without_line_end(std::string_view line)
{
    if (!line.empty() && line.back() == '\n') line.remove_suffix(1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    return line;
}

bool is_fold(std::string_view text, size_t at) { return at < text.size() && (text[at] == ' ' || text[at] == '\t'); }

constexpr bool is_atom_text(char c)
{
    return base::is_alnum(c) || (c != 0 && std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos);
}

bool is_control(char c) { return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 0x7f; }

// Must this word be encoded to stand in unstructured text?
bool needs_encoding(std::string_view word)
{
    return !base::is_ascii(word) || word.find("=?") != std::string_view::npos ||
           std::any_of(word.begin(), word.end(), is_control) || word.size() > 900;
}

} // namespace

void Fields::Iterator::advance()
{
    done_ = true;
    while (next_ < message_.size()) {
        const size_t start = next_;
        size_t end = next_line(message_, start);
        const std::string_view line = without_line_end(message_.substr(start, end - start));
        if (line.empty()) return;
        const size_t length = field_name_length(line);
        if (length == 0 && bad_ == BadLine::ends_header) return;
        while (length != 0 && is_fold(message_, end)) end = next_line(message_, end);
        next_ = end;
        if (length == 0) continue;
        field_.whole = message_.substr(start, end - start);
        field_.name = field_.whole.substr(0, length);
        field_.value = without_line_end(field_.whole);
        field_.value.remove_prefix(field_.value.find(':', length) + 1);
        done_ = false;
        return;
    }
}

HeaderEnd header_end(std::string_view message, BadLine bad)
{
    Fields::Iterator field(message, bad);
    while (field != Fields::Iterator()) ++field;
    const size_t stop = field.next();
    const size_t end = next_line(message, stop);
    const bool empty_line = stop < message.size() && without_line_end(message.substr(stop, end - stop)).empty();
    return {stop, empty_line ? end : stop, empty_line};
}

std::optional<Field> find_field(std::string_view message, std::string_view name)
{
    for (const Field& field : Fields(message))
        if (base::same_word(field.name, name)) return field;
    return std::nullopt;
}

std::vector<Field> find_fields(std::string_view message, std::string_view name)
{
    std::vector<Field> found;
    for (const Field& field : Fields(message))
        if (base::same_word(field.name, name)) found.push_back(field);
    return found;
}

std::optional<std::string> field_value(std::string_view message, std::string_view name)
{
    const auto field = find_field(message, name);
    if (!field) return std::nullopt;
    return unfold(field->value);
}

std::string unfold(std::string_view raw)
{
    std::string out;
    raw = base::trim(raw);
    out.reserve(raw.size());
    for (char c : raw)
        if (c != '\r' && c != '\n' && c != '\0') out.push_back(c);
    return out;
}

size_t field_name_length(std::string_view line)
{
    size_t length = 0;
    while (length < line.size() && line[length] > ' ' && line[length] < 0x7f && line[length] != ':') ++length;
    size_t colon = length;
    // RFC 5322 4.5.8: space before the colon is obsolete, and read.
    while (colon < line.size() && (line[colon] == ' ' || line[colon] == '\t')) ++colon;
    return length != 0 && colon < line.size() && line[colon] == ':' ? length : 0;
}

std::string fold_field(std::string_view name, std::string_view value, size_t width)
{
    const std::string text = unfold(value);
    std::string out(name);
    out.push_back(':');
    size_t line_start = 0;
    bool first_word = true;
    for (size_t at = 0; at < text.size();) {
        const size_t word = std::min(text.find_first_not_of(" \t", at), text.size());
        const size_t end = std::min(text.find_first_of(" \t", word), text.size());
        const std::string_view space =
            first_word ? std::string_view(" ") : std::string_view(text).substr(at, word - at);
        const size_t length = out.size() - line_start + space.size() + (end - word);
        if (!first_word && length > width) {
            out.append("\r\n");
            line_start = out.size();
        }
        out.append(space).append(text, word, end - word);
        first_word = false;
        at = end;
    }
    return out.append("\r\n");
}

std::string write_phrase(std::string_view utf8_name)
{
    const bool plain =
        base::is_ascii(utf8_name) && utf8_name.find("=?") == std::string_view::npos &&
        std::none_of(utf8_name.begin(), utf8_name.end(), [](char c) { return is_control(c) || c == '\t'; });
    if (!plain) return encode_words(utf8_name);
    const bool atoms =
        !utf8_name.empty() && utf8_name.front() != ' ' && utf8_name.back() != ' ' &&
        utf8_name.find("  ") == std::string_view::npos &&
        std::all_of(utf8_name.begin(), utf8_name.end(), [](char c) { return c == ' ' || is_atom_text(c); });
    if (atoms) return std::string(utf8_name);
    std::string out = "\"";
    for (char c : utf8_name) {
        if (c == '"' || c == '\\') out.push_back('\\');
        out.push_back(c);
    }
    return out + "\"";
}

std::string write_unstructured(std::string_view utf8_text)
{
    std::string out;
    std::string pending; // a row of words that need encoding, with the spaces between them
    for (std::string_view word : base::split_exact(utf8_text, ' ')) {
        if (needs_encoding(word)) {
            pending.append(pending.empty() ? "" : " ").append(word);
            continue;
        }
        if (!pending.empty()) out.append(encode_words(pending)).push_back(' ');
        pending.clear();
        out.append(word).push_back(' ');
    }
    if (!pending.empty()) return out.append(encode_words(pending));
    if (!out.empty()) out.pop_back();
    return out;
}

} // namespace mail
