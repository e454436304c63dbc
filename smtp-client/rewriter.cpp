#include "rewriter.h"

#include "base/text.h"
#include "mail/encoded_word.h"
#include "mail/header.h"

#include <algorithm>
#include <utility>

namespace smtp_client {
namespace {

constexpr size_t longest_piece = 16 << 10; // of a line that is held; longer ones go in pieces
constexpr size_t longest_field = 1 << 20;
constexpr size_t deepest = 100; // mime_nesting_limit
constexpr size_t longest_boundary = 2048;
constexpr size_t qp_width = 75; // and a "=" behind it

constexpr std::string_view mime_fields[] = {"Content-Description", "Content-Disposition",       "Content-ID",
                                            "Content-Length",      "Content-Transfer-Encoding", "Content-Type",
                                            "MIME-Version"};

bool is_mime_field(std::string_view name)
{
    return std::any_of(std::begin(mime_fields), std::end(mime_fields),
                       [&](std::string_view each) { return base::same_word(each, name); });
}

void append_lines(std::string_view field, std::string& sink)
{
    for (auto line : base::split_exact(field, '\n')) sink.append(line).append("\r\n");
}

// A type or an encoding without comments and what follows it: "text/plain; charset=x (y)" is "text/plain".
std::string first_token(std::string_view value)
{
    std::string token;
    int depth = 0;
    for (char c : value) {
        if (c == '(') ++depth;
        if (c == ';' && depth == 0) break;
        if (depth == 0 && !base::is_space(c) && c != '"') token += base::lower(c);
        if (c == ')' && depth > 0) --depth;
    }
    return token;
}

} // namespace

void QuotedPrintable::add(std::string_view text, bool ends_line, std::string& sink)
{
    for (size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        auto byte = static_cast<unsigned char>(c);
        bool last = i + 1 == text.size();
        bool escaped = byte < ' ' ? c != '\t' || last : byte > 126 || c == '=' || (c == ' ' && last);
        size_t width = escaped ? 3 : 1;
        if (column_ + width > qp_width) {
            sink.append("=\r\n");
            column_ = 0;
        }
        if (escaped) {
            constexpr char digits[] = "0123456789ABCDEF";
            sink.append({'=', digits[byte >> 4], digits[byte & 15]});
        } else {
            sink.push_back(c);
        }
        column_ += width;
    }
    if (!ends_line) return;
    sink.append("\r\n");
    column_ = 0;
}

void Rewriter::feed(std::string_view content, std::string& sink)
{
    while (!content.empty()) {
        size_t lf = content.find('\n');
        std::string_view piece = content.substr(0, lf);
        bool ends = lf != content.npos;
        content.remove_prefix(ends ? lf + 1 : content.size());
        if (!ends && partial_.size() + piece.size() < longest_piece) {
            partial_.append(piece);
            return;
        }
        bool starts = at_line_start_;
        at_line_start_ = ends;
        if (partial_.empty() && ends) {
            if (piece.ends_with('\r')) piece.remove_suffix(1);
            take_line(piece, starts, true, sink);
            continue;
        }
        partial_.append(piece);
        std::string whole = std::exchange(partial_, {});
        // A CR at the cut may be half of a line end.
        if (whole.ends_with('\r')) {
            whole.pop_back();
            if (!ends) partial_ = "\r";
        }
        take_line(whole, starts, ends, sink);
    }
}

void Rewriter::finish(std::string& sink)
{
    if (!partial_.empty()) {
        std::string rest = std::exchange(partial_, {});
        if (rest.ends_with('\r')) rest.pop_back();
        take_line(rest, at_line_start_, true, sink);
    } else if (!at_line_start_) {
        take_line({}, false, true, sink);
    }
    if (section_ != Section::body) end_header(sink);
}

void Rewriter::take_line(std::string_view text, bool starts, bool ends, std::string& sink)
{
    if (starts && !levels_.empty() && text.starts_with("--") && take_boundary(text, sink)) {
        if (!ends) section_ = Section::body; // a line that long is no boundary for others
        return;
    }
    if (section_ == Section::body)
        take_body_line(text, starts, ends, sink);
    else
        take_header_line(text, starts, ends, sink);
}

// RFC 2046 5.1.2: the boundary of any part that we are inside of ends all parts within.
bool Rewriter::take_boundary(std::string_view text, std::string& sink)
{
    for (size_t depth = levels_.size(); depth-- > 0;) {
        const Level& level = levels_[depth];
        if (text.substr(2, level.boundary.size()) != level.boundary) continue;
        std::string_view rest = text.substr(std::min(text.size(), 2 + level.boundary.size()));
        bool closes = rest.starts_with("--");
        if (!base::trim(closes ? rest.substr(2) : rest).empty()) continue;
        if (section_ != Section::body) end_header(sink);
        sink.append(text).append("\r\n");
        bool digest = levels_[depth].digest;
        levels_.resize(closes ? depth : depth + 1);
        if (closes)
            start_part(Section::body, false);
        else
            start_part(Section::part_header, digest);
        return true;
    }
    return false;
}

void Rewriter::start_part(Section section, bool digest)
{
    section_ = section;
    entity_ = Entity();
    // RFC 2046 5.1.5
    if (digest) entity_.shape = Shape::message;
    encode_ = false;
    encoder_ = QuotedPrintable();
    body_bytes_ = 0;
}

void Rewriter::take_header_line(std::string_view text, bool starts, bool ends, std::string& sink)
{
    if (!starts) {
        field_.append(text);
        if (field_.size() > longest_field) flush_field(sink);
        return;
    }
    if (has_field_ && !text.empty() && (text[0] == ' ' || text[0] == '\t') && field_.size() < longest_field) {
        field_.append(1, '\n').append(text);
        return;
    }
    flush_field(sink);
    if (mail::field_name_length(text) > 0) {
        field_ = text;
        has_field_ = true;
        return;
    }
    end_header(sink);
    if (text.empty() && ends) {
        sink.append("\r\n");
        return;
    }
    // No field and no empty line: the body has begun without one.
    take_line(text, starts, ends, sink);
}

void Rewriter::flush_field(std::string& sink)
{
    if (!has_field_) return;
    has_field_ = false;
    std::string field = std::exchange(field_, {});
    std::string_view name = std::string_view(field).substr(0, mail::field_name_length(field));
    size_t colon = field.find(':');
    if (!note_mime(name, std::string_view(field).substr(std::min(field.size(), colon + 1)))) return;
    std::string kept_name(name);
    emit_field(kept_name, std::move(field), sink);
}

// False for a field that end_header() writes anew.
bool Rewriter::note_mime(std::string_view name, std::string_view value)
{
    if (base::same_word(name, "Content-Type")) note_type(value);
    if (!base::same_word(name, "Content-Transfer-Encoding")) return true;
    std::string encoding = first_token(value);
    entity_.wide = encoding == "8bit" || encoding == "binary";
    return !(entity_.wide && seven_bits_only_);
}

void Rewriter::note_type(std::string_view value)
{
    std::string type = first_token(value);
    entity_.shape = Shape::leaf;
    if (type == "message/rfc822" || type == "message/global") {
        entity_.shape = Shape::message;
        return;
    }
    if (!type.starts_with("multipart/")) return;
    size_t semicolon = value.find(';');
    auto parameters = mail::parse_raw_parameters(semicolon == value.npos ? std::string_view() : value.substr(semicolon));
    const std::string* boundary = mail::find_parameter(parameters, "boundary");
    if (!boundary || boundary->empty() || boundary->size() > longest_boundary) return;
    entity_.shape = Shape::multipart;
    entity_.boundary = *boundary;
    entity_.digest = type == "multipart/digest";
}

void Rewriter::emit_field(std::string_view name, std::string field, std::string& sink)
{
    if (editor_) {
        HeaderKind kind = is_mime_field(name) || section_ == Section::part_header ? HeaderKind::mime
                          : section_ == Section::nested_header                    ? HeaderKind::nested
                                                                                  : HeaderKind::primary;
        std::string before;
        bool keep = editor_->header(kind, field, before);
        if (!before.empty()) append_lines(before, sink);
        if (!keep) return;
    }
    append_lines(field, sink);
}

void Rewriter::end_header(std::string& sink)
{
    flush_field(sink);
    bool too_deep = levels_.size() >= deepest;
    if (entity_.wide && seven_bits_only_) {
        // RFC 6152 3: what contains parts is never encoded itself, its parts are.
        bool encodes = entity_.shape == Shape::leaf && !too_deep;
        std::string name = "Content-Transfer-Encoding";
        emit_field(name, name + (encodes ? ": quoted-printable" : ": 7bit"), sink);
        encode_ = encodes;
    }
    section_ = Section::body;
    body_bytes_ = 0;
    if (entity_.shape == Shape::multipart && !too_deep)
        levels_.push_back({std::move(entity_.boundary), entity_.digest});
    if (entity_.shape == Shape::message && !too_deep) start_part(Section::nested_header, false);
}

void Rewriter::take_body_line(std::string_view text, bool starts, bool ends, std::string& sink)
{
    std::string edited;
    if (editor_ && starts && body_bytes_ < edit_body_limit_) {
        body_bytes_ += text.size() + 2;
        edited = text;
        std::string before;
        bool keep = editor_->body(edited, before);
        for (auto line : base::split_exact(before, '\n'))
            if (!before.empty()) encode_ ? encoder_.add(line, true, sink) : void(sink.append(line).append("\r\n"));
        if (!keep) return;
        text = edited;
    }
    if (encode_) return encoder_.add(text, ends, sink);
    sink.append(text);
    if (ends) sink.append("\r\n");
}

} // namespace smtp_client
