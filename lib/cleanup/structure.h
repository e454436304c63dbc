// structure: the body of a message line by line as it comes in: which lines are text, and which are headers of MIME parts and of messages
// inside (RFC 2045, 2046). Broken MIME never fails. Keeps in memory a header at most.
#pragma once

#include "config/config.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cleanup {

class Structure {
public:
    // Who wants to know.
    class Reader {
    public:
        virtual ~Reader() = default;
        // end: CRLF, LF or, where the line goes on or the content ends, nothing. offset: in its part.
        virtual void text_line(std::string_view line, std::string_view end, uint64_t offset) = 0;
        // A whole field of a part, line ends included; nested: of the header of a message inside.
        virtual void part_field(std::string_view field, bool nested) = 0;
        virtual void too_deep() = 0;                                    // mime_nesting_limit
        virtual void unlabelled_8bit(std::string_view line) = 0;        // RFC 2045 6.2: 8-bit text where 7 bits were promised
        virtual void encoded_structure(std::string_view value) = 0;     // RFC 2045 6.4: multipart and message parts are never encoded
    };

    // Both must outlive it.
    Structure(const config::Config& config, Reader& reader) : config_(config), reader_(reader) {}

    // The fields of the message's own header that tell what the body is.
    void header_field(std::string_view name, std::string_view value);
    void end_header();
    void feed(std::string_view body);
    void finish();

private:
    enum class State { text, part_header, nested_header };
    struct Boundary {
        std::string mark;       // without the dashes in front
        int64_t level;
        bool digest;
    };
    struct Kind {
        std::string type = "text", subtype = "plain", boundary, encoding = "7bit";
    };

    void line(std::string_view line, std::string_view end, bool starts);
    void text(std::string_view line, std::string_view end);
    void flush_field();
    bool at_boundary(std::string_view line);
    void begin_part(bool message);

    const config::Config& config_;
    Reader& reader_;
    State state_ = State::text;
    Kind kind_;
    int64_t level_ = 0;
    std::vector<Boundary> open_;
    std::string rest_;              // of a line whose end did not come yet
    bool line_start_ = true;
    std::string field_;             // of a part, gathered
    uint64_t offset_ = 0;
    bool deep_ = false;
};

} // namespace cleanup
