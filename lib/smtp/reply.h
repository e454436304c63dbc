// reply: what an SMTP server says: three digits, an enhanced status (RFC 2034, 3463) and text of one or more lines.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace smtp {

struct Reply {
    int code = 0;
    std::string enhanced; // "2.1.0", or empty
    std::string text;     // lines divided by '\n', none at the end

    // From "550 5.1.1 text"; the enhanced status is found where it can be one. For texts from configuration and
    // milters.
    static std::optional<Reply> parse(std::string_view line);

    bool ok() const { return code >= 200 && code < 300; }
    bool intermediate() const { return code >= 300 && code < 400; }
    bool transient() const { return code >= 400 && code < 500; }
    bool permanent() const { return code >= 500 && code < 600; }

    // "250-2.1.0 text\r\n250 2.1.0 text\r\n". Control characters become '?': no text can forge a line.
    std::string wire() const;
    std::string line() const; // "550 5.1.1 text", lines joined by a space: for logs and queue files
    // enhanced, or what RFC 3463 gives for the code alone: 250 is 2.0.0.
    std::string status() const;
    bool operator==(const Reply&) const = default;
};

// The peer of a client does not speak SMTP, or says too much.
class BadReply : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

struct ReplyLimits {
    size_t line = 4096; // RFC 5321 4.5.3.1.5 promises 512
    size_t lines = 1000;
    size_t total = 100000;
};

// Reads one reply, by lines or by chunks, whichever the caller has. Throws BadReply.
class ReplyReader {
public:
    explicit ReplyReader(ReplyLimits limits = {}) : limits_(limits) {}

    bool add_line(std::string_view line); // without or with its line end; true when the reply is complete
    size_t feed(std::string_view chunk);  // bytes consumed: up to the end of the reply, else all of chunk
    bool complete() const { return complete_; }
    Reply take(); // the reply; ready for the next one afterwards

private:
    ReplyLimits limits_;
    Reply reply_;
    std::string partial_;
    size_t lines_ = 0, total_ = 0;
    bool complete_ = false;
};

// Length of an enhanced status at the start of text ("5.1.1"), 0 when there is none. RFC 3463 2: class 2, 4 or 5.
size_t enhanced_length(std::string_view text);
// The status that fits the code's class: detail is kept, "5.1.1" with a 450 becomes 4.1.1; "" gives 4.0.0.
std::string fit_enhanced(std::string_view enhanced, int code);

} // namespace smtp
