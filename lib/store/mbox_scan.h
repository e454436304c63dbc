// mbox_scan: where the messages of an mbox file lie and what their headers say about flags. A pure reader of bytes.
#pragma once

#include "store/flags.h"

#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

namespace store {

struct MboxMessage {
    uint64_t start = 0;             // of the "From " line
    uint64_t header = 0;            // after it
    uint64_t body = 0;              // after the empty line; end when there is none
    uint64_t end = 0;               // before the empty line that separates messages
    uint64_t next = 0;              // start of the next one, or the end of the file
    uint64_t fingerprint = 0;       // of the "From " line and of the visible headers
    uint64_t crlf_size = 0;         // of what clients see
    std::time_t date = 0;
    Flags flags = 0;                // Status, X-Status; recent when Status has no O
    std::vector<std::string> keywords;      // X-Keywords
    uint32_t uid = 0;               // X-UID; 0: none
    uint32_t uid_validity = 0, last_uid = 0;    // X-IMAPbase
    bool internal = false;          // "DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA" of Pine's library
};

// Headers that belong to the mailbox and not to the message: clients never see them, so flags can change and the message does not.
bool is_hidden_header(std::string_view line);
// Those of them that say flags.
bool is_flag_header(std::string_view line);

// Gives header lines with their continuation lines: calls act(lines) for each header field up to the empty line.
template <class Act> void each_header(std::string_view header, Act act)
{
    while (!header.empty() && header[0] != '\n' && header.substr(0, 2) != "\r\n") {
        size_t end = header.find('\n');
        while (end != std::string_view::npos && end + 1 < header.size() && (header[end + 1] == ' ' || header[end + 1] == '\t'))
            end = header.find('\n', end + 1);
        std::string_view field = header.substr(0, end == std::string_view::npos ? header.size() : end + 1);
        act(field);
        header.remove_prefix(field.size());
    }
}

class MboxScan {
public:
    void feed(std::string_view chunk);
    // After the last chunk. Messages in the order of the file.
    std::vector<MboxMessage> finish();
    bool valid() const { return valid_; }       // false: bytes before the first "From " line: this is no mbox

private:
    enum class Part { none, header, body };
    void line_done(uint64_t length, bool ended);
    void begin_message(uint64_t offset, uint64_t length);
    void end_message(uint64_t end, uint64_t next);
    void header_line(std::string_view line, uint64_t weight);
    void read_hidden(std::string_view line);
    void mix(std::string_view bytes);

    static constexpr size_t kept_bytes = 8192;  // of a line; the rest is only counted
    std::string line_;
    uint64_t line_length_ = 0, offset_ = 0;
    char before_last_ = 0;
    Part part_ = Part::none;
    bool after_empty_ = true, valid_ = true, hidden_ = false;
    bool seen_status_ = false, seen_x_status_ = false;
    uint64_t held_empty_ = 0, held_weight_ = 0;     // an empty line that may be the separator
    MboxMessage message_;
    std::vector<MboxMessage> messages_;
};

// "Status: RO", "X-Status: AF", "X-Keywords: …", each with a fixed width so that flags can later change in place.
std::string mbox_flag_headers(Flags flags, const std::vector<std::string>& keywords);
// The header with other flag headers; header ends with the empty line, or without one.
std::string with_flag_headers(std::string_view header, Flags flags, const std::vector<std::string>& keywords);
// What clients see of a message's bytes.
std::string visible_message(std::string_view header, std::string_view body);

} // namespace store
