// rewriter: a message on its way out that must be changed: fields and lines by an editor, and eight-bit parts to
// quoted-printable for servers that take seven bits only. In one pass, of any size, with the structure of MIME kept.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace smtp_client {

// Of a field, as header_checks(5) divides them: those of MIME, wherever they are; those of the message; those of a
// message inside it.
enum class HeaderKind : uint8_t { primary, mime, nested };

class Editor {
public:
    virtual ~Editor() = default;
    // field: name, colon and value, its lines divided by '\n', without the last line end. `before` (the same form, may
    // be several fields) goes out in front of it. False: the field is left out.
    virtual bool header(HeaderKind kind, std::string& field, std::string& before) = 0;
    // line: of a body, without its line end.
    virtual bool body(std::string& line, std::string& before) = 0;
};

// RFC 2045 6.7, as lines come.
class QuotedPrintable {
public:
    void add(std::string_view text, bool ends_line, std::string& sink);

private:
    size_t column_ = 0;
};

class Rewriter {
public:
    // editor may be null. edit_body_limit: so many bytes of each body are shown to it.
    Rewriter(Editor* editor, bool seven_bits_only, size_t edit_body_limit = 0)
        : editor_(editor), seven_bits_only_(seven_bits_only), edit_body_limit_(edit_body_limit)
    {
    }
    // Content in pieces of any size, CRLF or LF lines; what comes out has CRLF lines.
    void feed(std::string_view content, std::string& sink);
    void finish(std::string& sink);

private:
    enum class Section : uint8_t { primary_header, part_header, nested_header, body };
    enum class Shape : uint8_t { leaf, multipart, message };
    // What its header says of the part whose header or body we are in.
    struct Entity {
        Shape shape = Shape::leaf;
        bool wide = false; // Content-Transfer-Encoding: 8bit or binary
        bool digest = false;
        std::string boundary;
    };
    struct Level {
        std::string boundary;
        bool digest = false;
    };

    void take_line(std::string_view text, bool starts, bool ends, std::string& sink);
    bool take_boundary(std::string_view text, std::string& sink);
    void take_header_line(std::string_view text, bool starts, bool ends, std::string& sink);
    void take_body_line(std::string_view text, bool starts, bool ends, std::string& sink);
    void flush_field(std::string& sink);
    bool note_mime(std::string_view name, std::string_view value);
    void note_type(std::string_view value);
    void emit_field(std::string_view name, std::string field, std::string& sink);
    void end_header(std::string& sink);
    void start_part(Section section, bool digest);

    Editor* editor_;
    bool seven_bits_only_;
    size_t edit_body_limit_;
    Section section_ = Section::primary_header;
    Entity entity_;
    std::vector<Level> levels_; // the outermost first
    bool encode_ = false;       // the body we are in becomes quoted-printable
    QuotedPrintable encoder_;
    size_t body_bytes_ = 0;
    std::string partial_;       // of a line
    bool at_line_start_ = true;
    std::string field_;         // that may have more lines
    bool has_field_ = false;
};

} // namespace smtp_client
