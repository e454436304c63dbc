// data: message content on its way through DATA and BDAT: line ends made canonical, dots taken off or put on, and the
// end of data recognised in one way only, so that no second message can be smuggled inside a first.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace smtp {

// smtpd_forbid_bare_newline of Postfix 3.9.
enum class BareNewline : uint8_t {
    normalize,    // a bare LF ends a line, but only CRLF.CRLF ends the message; other lone dots are dropped
    reject,       // as normalize, and must_reject() tells the session to answer 550 5.5.2 and hang up
    accept_lines, // "no": LF.LF, LF.CRLF and CRLF.LF end the message too
};

// Of the content that came out so far.
struct ContentFacts {
    uint64_t octets = 0; // appended to sinks
    uint64_t lines = 0;
    uint64_t longest_line = 0; // without its line end
    uint64_t nul_count = 0;
    bool has_8bit = false;
    bool has_leading_dot = false; // a content line starts with '.': the sending side must stuff
    bool bare_newline = false;    // a LF without CR came in
    bool stray_cr = false;        // a CR without LF came in
};

// Content without dots: BDAT chunks, standard input of sendmail. All that comes out has CRLF line ends.
class Canonicalizer {
public:
    // replace_stray_cr: a CR that is not before LF becomes a space (cleanup_replace_stray_cr_lf); else it stays.
    explicit Canonicalizer(bool replace_stray_cr = true) : replace_stray_cr_(replace_stray_cr) {}

    void feed(std::string_view chunk, std::string& sink);
    void finish(std::string& sink); // ends an unfinished last line
    const ContentFacts& facts() const { return facts_; }

protected:
    // Takes lines until end, or until the first line that starts with '.' when stop_at_dots; returns how far it came.
    const char* feed_lines(const char* at, const char* end, bool stop_at_dots, std::string& sink);

    ContentFacts facts_;
    bool at_line_start_ = true;
    bool last_end_was_bare_ = false; // the line before ended in LF without CR
    bool held_cr_ = false;           // a CR at the end of the last chunk: stray, or half of CRLF

private:
    void add_run(const char* begin, const char* end, uint64_t line_ends, std::string& sink);
    void add_stray_cr(std::string& sink);
    void end_line(std::string& sink);
    void count_line(uint64_t length);

    uint64_t line_length_ = 0; // of the line begun in earlier chunks
    bool replace_stray_cr_;
};

// DATA: as above, with dots taken off, until the end of data.
class DataDecoder : private Canonicalizer {
public:
    explicit DataDecoder(BareNewline policy = BareNewline::normalize, bool replace_stray_cr = true)
        : Canonicalizer(replace_stray_cr), policy_(policy)
    {
    }

    struct Step {
        size_t consumed; // all of chunk unless finished; what follows is the client's next command
        bool finished;
    };
    // Appends content to sink (which the caller empties as it likes) until the end of data. Not to be called after
    // finished.
    Step feed(std::string_view chunk, std::string& sink);
    using Canonicalizer::facts;
    bool must_reject() const { return policy_ == BareNewline::reject && facts_.bare_newline; }

private:
    enum class Dot : uint8_t { none, dot, dot_cr }; // how much of ".\r\n" came at a line start
    enum class After : uint8_t { more, finished };
    After after_dot(char c, const char*& at);
    After lone_dot(bool bare);

    BareNewline policy_;
    Dot dot_ = Dot::none;
};

// Sending: content in chunks of any size into DATA's form. A bare LF becomes CRLF, so that we smuggle nothing to others
// either. Lines longer than line_limit are broken with CRLF SPACE as Postfix does (smtp_line_length_limit); 0 is no
// limit.
class DotStuffer {
public:
    explicit DotStuffer(size_t line_limit = 0) : line_limit_(line_limit == 1 ? 2 : line_limit) {}

    void feed(std::string_view content, std::string& sink);
    void finish(std::string& sink); // a line end where it is missing, and ".\r\n"
    bool broke_lines() const { return broke_lines_; }

private:
    void add_text(std::string_view text, std::string& sink);

    size_t line_limit_;
    size_t line_length_ = 0;
    bool held_cr_ = false;
    bool at_line_start_ = true;
    bool broke_lines_ = false;
};

} // namespace smtp
