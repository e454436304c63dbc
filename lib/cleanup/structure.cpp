// structure: a state for each kind of line, and a stack of boundaries.
#include "cleanup/structure.h"

#include "base/text.h"
#include "mail/encoded_word.h"
#include "mail/header.h"

#include <algorithm>

namespace cleanup {

namespace {

// A word of a MIME field, up to what is no token (RFC 2045 5.1).
std::string_view token(std::string_view& text)
{
    text = base::trim_left(text);
    while (text.starts_with('(')) {
        size_t close = text.find(')');
        text = base::trim_left(close == text.npos ? "" : text.substr(close + 1));
    }
    size_t end = std::min(text.find_first_of(" \t\r\n/;(\"="), text.size());
    std::string_view word = text.substr(0, end);
    text.remove_prefix(end);
    return word;
}

} // namespace

void Structure::header_field(std::string_view name, std::string_view value)
{
    if (base::same_word(name, "Content-Transfer-Encoding")) {
        kind_.encoding = base::lower(token(value));
        return;
    }
    if (!base::same_word(name, "Content-Type")) return;
    kind_.type = base::lower(token(value));
    kind_.subtype.clear();
    value = base::trim_left(value);
    if (value.starts_with('/')) {
        value.remove_prefix(1);
        kind_.subtype = base::lower(token(value));
    }
    auto parameters = mail::parse_raw_parameters(value);
    const std::string* boundary = mail::find_parameter(parameters, "boundary");
    kind_.boundary = boundary ? boundary->substr(0, static_cast<size_t>(config_.mime_boundary_length_limit)) : std::string();
}

void Structure::begin_part(bool message)
{
    kind_ = Kind();
    if (!message) return;
    kind_.type = "message";
    kind_.subtype = "rfc822";
}

void Structure::end_header()
{
    offset_ = 0;
    state_ = State::text;
    if (config_.disable_mime_input_processing) return;
    bool multipart = kind_.type == "multipart", message = kind_.type == "message" && (kind_.subtype == "rfc822" || kind_.subtype == "global");
    bool encoded = kind_.encoding == "base64" || kind_.encoding == "quoted-printable";
    if ((multipart || kind_.type == "message") && encoded) reader_.encoded_structure(kind_.encoding);
    if (!(multipart && !kind_.boundary.empty()) && !(message && !encoded)) return;
    if (level_ >= config_.mime_nesting_limit) {
        if (!deep_) reader_.too_deep();
        deep_ = true;
        return;
    }
    ++level_;
    if (multipart) {
        open_.push_back({kind_.boundary, level_, kind_.subtype == "digest"});
    } else {
        begin_part(false);
        state_ = State::nested_header;
    }
}

bool Structure::at_boundary(std::string_view line)
{
    if (!line.starts_with("--")) return false;
    line.remove_prefix(2);
    // The innermost first; parts that were not closed are closed with their parents.
    for (size_t i = open_.size(); i-- > 0;) {
        if (!line.starts_with(open_[i].mark)) continue;
        bool closes = line.substr(open_[i].mark.size()).starts_with("--");
        level_ = open_[i].level - (closes ? 1 : 0);
        bool digest = open_[i].digest;
        open_.resize(closes ? i : i + 1);
        begin_part(digest && !closes);
        state_ = closes ? State::text : State::part_header;
        return true;
    }
    return false;
}

void Structure::text(std::string_view line, std::string_view end)
{
    bool opaque = kind_.encoding == "8bit" || kind_.encoding == "binary";
    if (!opaque && !base::is_ascii(line)) reader_.unlabelled_8bit(line);
    reader_.text_line(line, end, offset_);
    offset_ += line.size();
}

void Structure::flush_field()
{
    if (field_.empty()) return;
    for (const mail::Field& field : mail::Fields(field_)) header_field(field.name, field.value);
    reader_.part_field(field_, state_ == State::nested_header);
    field_.clear();
}

void Structure::line(std::string_view line, std::string_view end, bool starts)
{
    if (state_ != State::text) {
        bool goes_on = !starts || line.starts_with(' ') || line.starts_with('\t');
        if (goes_on && !field_.empty()) {
            if (field_.size() < static_cast<size_t>(config_.header_size_limit)) field_.append(line).append(end);
            return;
        }
        flush_field();
        if (starts && mail::field_name_length(line) > 0 && !line.starts_with("--")) {
            field_.assign(line).append(end);
            return;
        }
        end_header();
        if (state_ != State::text) {
            // A message inside, behind an empty line or without one.
            if (line.empty()) reader_.text_line(line, end, 0);
            else this->line(line, end, starts);
            return;
        }
    }
    if (starts && !open_.empty() && at_boundary(line)) {
        reader_.text_line(line, end, offset_);
        return;
    }
    text(line, end);
}

void Structure::feed(std::string_view body)
{
    auto longest = static_cast<size_t>(config_.line_length_limit);
    std::string joined;
    if (!rest_.empty()) {
        joined = std::move(rest_);
        rest_.clear();
        joined += body;
        body = joined;
    }
    while (!body.empty()) {
        size_t lf = body.substr(0, longest).find('\n');
        if (lf != body.npos) {
            size_t length = lf > 0 && body[lf - 1] == '\r' ? lf - 1 : lf;
            line(body.substr(0, length), body.substr(length, lf + 1 - length), line_start_);
            body.remove_prefix(lf + 1);
            line_start_ = true;
        } else if (body.size() > longest) {
            // A CR stays with its LF.
            size_t cut = body[longest - 1] == '\r' ? longest - 1 : longest;
            line(body.substr(0, cut), {}, line_start_);
            body.remove_prefix(cut);
            line_start_ = false;
        } else {
            rest_ = body;
            return;
        }
    }
}

void Structure::finish()
{
    std::string last = std::move(rest_);
    rest_.clear();
    if (!last.empty()) line(last, {}, line_start_);
    if (state_ != State::text) flush_field();
}

} // namespace cleanup
