// header: the header of a message, field by field, over the message's bytes (CRLF or LF lines), and the way back:
// folding.
#pragma once

#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mail {

struct Field {
    std::string_view name;  // as written, without space before the colon
    std::string_view value; // raw: after the colon, folds inside, without the last line end
    std::string_view whole; // name to and including the last line end
};

// What to do with a line that is neither a field, a fold nor empty.
enum class BadLine { ends_header, is_skipped };

// for (const mail::Field& field : mail::Fields(message)) …   The views point into message.
class Fields {
public:
    class Iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = Field;
        using difference_type = std::ptrdiff_t;
        using pointer = const Field*;
        using reference = const Field&;

        Iterator() = default;
        Iterator(std::string_view message, BadLine bad) : message_(message), bad_(bad) { advance(); }
        const Field& operator*() const { return field_; }
        const Field* operator->() const { return &field_; }
        Iterator& operator++()
        {
            advance();
            return *this;
        }
        void operator++(int) { advance(); }
        bool operator==(const Iterator& other) const { return done_ == other.done_; }
        size_t next() const { return next_; }

    private:
        void advance();
        std::string_view message_;
        BadLine bad_ = BadLine::ends_header;
        size_t next_ = 0;
        bool done_ = true;
        Field field_;
    };

    explicit Fields(std::string_view message, BadLine bad = BadLine::is_skipped) : message_(message), bad_(bad) {}
    Iterator begin() const { return {message_, bad_}; }
    Iterator end() const { return {}; }

private:
    std::string_view message_;
    BadLine bad_;
};

// Where the header ends and the body begins. They differ by the empty line, which belongs to neither field nor body.
struct HeaderEnd {
    size_t fields_end; // after the last header line
    size_t body;       // after the empty line; the message's size when there is none
    bool has_empty_line;
};
HeaderEnd header_end(std::string_view message, BadLine bad = BadLine::is_skipped);

std::optional<Field> find_field(std::string_view message, std::string_view name);
std::vector<Field> find_fields(std::string_view message, std::string_view name);
// The first such field's value, unfolded and trimmed.
std::optional<std::string> field_value(std::string_view message, std::string_view name);

std::string unfold(std::string_view raw); // line ends out, trimmed
// Length of the field name when line begins like a header field ("Name:", "Name :"), else 0. RFC 5322 3.6.8, and UTF-8
// never.
size_t field_name_length(std::string_view line);

// "Name: value\r\n", folded at spaces so that lines stay within width where they can. Never makes a line of spaces
// only.
std::string fold_field(std::string_view name, std::string_view value, size_t width = 78);
// A phrase for a display name: plain, quoted, or RFC 2047 words.
std::string write_phrase(std::string_view utf8_name);
// Unstructured text such as a Subject: as it is when ASCII, else RFC 2047 words where needed.
std::string write_unstructured(std::string_view utf8_text);

} // namespace mail
