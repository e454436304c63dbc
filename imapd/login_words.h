// login_words: the grammar of what a client may say before it is logged in. A command is its line, in which literals stand with their
// announcements as they came: `a1 LOGIN {4}CRLFanna "secret"`.
#pragma once

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace imap_login {

// The client's grammar slipped; what() is for the client.
class Syntax : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// literal = "{" number ["+"] "}" at the end of a line. RFC 7888 4.
struct LiteralAnnouncement {
    size_t bytes = 0;
    bool waits = true;          // for our "+"
};
std::optional<LiteralAnnouncement> literal_at_end(std::string_view line);     // throws Syntax for a number out of range

// Takes words off the front of a command.
class Words {
public:
    explicit Words(std::string_view text) : left_(text) {}

    // tag = 1*<any ASTRING-CHAR except "+">. RFC 3501 9.
    std::string_view tag();
    std::string_view atom();
    std::string astring();
    std::optional<std::string> nstring();       // NIL is nothing
    void space();
    bool skip(char c);
    bool at_end() const { return left_.empty(); }
    void end() const;

private:
    std::string quoted();
    std::string literal();
    std::string_view left_;
};

} // namespace imap_login
