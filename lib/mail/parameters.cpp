// parameters: the ";name=value" lists of MIME fields, with RFC 2231's continuations and character sets.
#include "base/text.h"
#include "mail/charset.h"
#include "mail/encoded_word.h"
#include "mail/header.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace mail {

namespace {

// RFC 2045 5.1: token = any visible ASCII but tspecials.
constexpr bool is_token_text(char c)
{
    return c > ' ' && c < 0x7f && std::string_view("()<>@,;:\\\"/[]?=").find(c) == std::string_view::npos;
}

class List {
public:
    explicit List(std::string_view text) : text_(text) {}

    std::vector<Parameter> read(size_t limit)
    {
        std::vector<Parameter> found;
        while (at_ < text_.size() && found.size() < limit) {
            skip_space();
            if (at_ < text_.size() && text_[at_] == ';') {
                ++at_;
                continue;
            }
            const size_t start = at_;
            at_ = std::min(text_.find_first_of("=;", at_), text_.size());
            const std::string_view name = base::trim(text_.substr(start, at_ - start));
            if (at_ == text_.size() || text_[at_] == ';') continue;
            ++at_;
            std::string value = read_value();
            if (!name.empty()) found.push_back({base::lower(name), std::move(value)});
        }
        return found;
    }

private:
    void skip_space()
    {
        for (;;) {
            while (at_ < text_.size() && base::is_space(text_[at_])) ++at_;
            if (at_ == text_.size() || text_[at_] != '(') return;
            size_t depth = 0;
            for (; at_ < text_.size(); ++at_) {
                if (text_[at_] == '\\')
                    ++at_;
                else if (text_[at_] == '(')
                    ++depth;
                else if (text_[at_] == ')' && --depth == 0)
                    break;
            }
            at_ = std::min(at_ + 1, text_.size());
        }
    }

    // A quoted string or a token; a value of several words without quotes is taken whole, as its writer meant it.
    std::string read_value()
    {
        std::string value;
        skip_space();
        if (at_ < text_.size() && text_[at_] == '"') {
            for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
                if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
                if (text_[at_] != '\r' && text_[at_] != '\n' && text_[at_] != '\0') value.push_back(text_[at_]);
            }
            at_ = std::min(text_.find(';', at_), text_.size());
            return value;
        }
        while (at_ < text_.size() && text_[at_] != ';') {
            const size_t end = std::min(text_.find_first_of("; \t\r\n", at_), text_.size());
            value.append(value.empty() ? "" : " ").append(text_, at_, end - at_);
            at_ = end;
            skip_space();
        }
        return value;
    }

    std::string_view text_;
    size_t at_ = 0;
};

std::string percent_decoded(std::string_view text)
{
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        const auto byte =
            text[i] == '%' && i + 2 < text.size() ? base::number<unsigned>(text.substr(i + 1, 2), 16) : std::nullopt;
        out.push_back(byte ? static_cast<char>(*byte) : text[i]);
        if (byte) i += 2;
    }
    return out;
}

// RFC 2231 3, 4: name *section "*" where both are optional.
struct Piece {
    std::string_view base_name;
    std::optional<unsigned> section;
    bool extended = false;
};

Piece read_name(std::string_view name)
{
    Piece piece{name, std::nullopt, false};
    if (!name.empty() && name.back() == '*') {
        piece.extended = true;
        name.remove_suffix(1);
    }
    piece.base_name = name;
    const auto [before, number, has_number] = base::cut(name, '*');
    if (has_number) {
        piece.section = base::number<unsigned>(number);
        if (piece.section) piece.base_name = before;
    }
    return piece;
}

struct Gathered {
    std::string name, plain;
    bool has_plain = false;
    struct Section {
        unsigned number;
        bool extended;
        std::string_view value;
    };
    std::vector<Section> sections;
};

std::string plain_text(std::string_view value)
{
    if (value.find("=?") != std::string_view::npos) return decode_words(value);
    return base::is_utf8(value) ? std::string(value) : guess_to_utf8(value);
}

std::string join_sections(Gathered& gathered)
{
    auto& sections = gathered.sections;
    std::sort(sections.begin(), sections.end(), [](const auto& a, const auto& b) { return a.number < b.number; });
    std::string bytes, charset;
    unsigned expected = 0;
    for (const auto& section : sections) {
        if (section.number < expected) continue;
        if (section.number != expected) break;
        ++expected;
        std::string_view value = section.value;
        if (section.extended && section.number == 0) {
            const auto [name, rest, has_language] = base::cut(value, '\'');
            if (has_language) {
                charset = name;
                value = base::cut(rest, '\'').after;
            }
        }
        bytes.append(section.extended ? percent_decoded(value) : std::string(value));
    }
    if (charset.empty()) return plain_text(bytes);
    auto text = to_utf8(bytes, charset);
    return text ? std::move(*text) : plain_text(bytes);
}

} // namespace

std::vector<Parameter> parse_raw_parameters(std::string_view text, size_t limit) { return List(text).read(limit); }

std::vector<Parameter> join_parameters(const std::vector<Parameter>& raw)
{
    std::vector<Gathered> all;
    for (const Parameter& parameter : raw) {
        const Piece piece = read_name(parameter.name);
        auto found =
            std::find_if(all.begin(), all.end(), [&](const Gathered& each) { return each.name == piece.base_name; });
        if (found == all.end()) {
            found = all.insert(all.end(), Gathered{});
            found->name = piece.base_name;
        }
        if (!piece.section && !piece.extended) {
            if (!found->has_plain) found->plain = plain_text(parameter.value);
            found->has_plain = true;
        } else {
            found->sections.push_back({piece.section.value_or(0), piece.extended, parameter.value});
        }
    }
    std::vector<Parameter> joined;
    for (Gathered& gathered : all) {
        std::string value = gathered.sections.empty() ? gathered.plain : join_sections(gathered);
        joined.push_back({gathered.name, std::move(value)});
    }
    return joined;
}

std::vector<Parameter> parse_parameters(std::string_view text, size_t limit)
{
    return join_parameters(parse_raw_parameters(text, limit));
}

const std::string* find_parameter(const std::vector<Parameter>& parameters, std::string_view name)
{
    for (const Parameter& parameter : parameters)
        if (base::same_word(parameter.name, name)) return &parameter.value;
    return nullptr;
}

std::string write_parameter(std::string_view name, std::string_view utf8_value)
{
    const bool token = !utf8_value.empty() && std::all_of(utf8_value.begin(), utf8_value.end(), is_token_text);
    if (token) return fmt::format("{}={}", name, utf8_value);
    const bool visible = std::all_of(utf8_value.begin(), utf8_value.end(), [](char c) { return c >= ' ' && c < 0x7f; });
    if (visible) {
        std::string out = fmt::format("{}=\"", name);
        for (char c : utf8_value) {
            if (c == '"' || c == '\\') out.push_back('\\');
            out.push_back(c);
        }
        return out + "\"";
    }
    std::string out = fmt::format("{}*=utf-8''", name);
    for (char c : utf8_value) {
        if (base::is_alnum(c) || c == '.' || c == '-' || c == '_')
            out.push_back(c);
        else
            fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

} // namespace mail
