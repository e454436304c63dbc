// arguments: the words of IMAP's grammar (RFC 3501 9), read from a command's text from left to right.
#pragma once

#include "mail/date.h"
#include "sequence_set.h"
#include "store/flags.h"

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace imapd {

// The command is not grammatical: "tag BAD …".
class Bad : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// text is a whole command without its last line end; a literal stands in it as on the wire: "{3}", CRLF, three bytes.
// The views given live as long as text. Everything throws Bad where something else was expected.
class Arguments {
public:
    // utf8_names: mailbox names are UTF-8 (RFC 6855 3, RFC 9051 5.1) and not modified UTF-7.
    explicit Arguments(std::string_view text, bool utf8_names = false) : left_(text), utf8_names_(utf8_names) {}

    bool at_end() const { return left_.empty(); }
    bool at(char c) const { return !left_.empty() && left_.front() == c; }
    bool skip(char c);
    void expect(char c);
    void space() { expect(' '); }
    void end(); // nothing more but perhaps spaces

    std::string_view tag();
    std::string_view atom();
    std::string_view keyword();               // letters, digits and '.': FETCH items, search keys, options
    bool skip_keyword(std::string_view word); // only when all of the next keyword is this word, in any case
    std::string string();                     // quoted or literal
    std::string astring();
    std::optional<std::string> nstring();
    uint32_t number();
    uint32_t nz_number();
    uint64_t number64();
    SequenceSet sequence_set();
    // "(\Seen $Junk)", or without parentheses, as STORE allows. \Recent is left out: clients copy it from what they
    // read.
    store::NamedFlags flag_list(bool parentheses_needed);
    std::string mailbox();      // in UTF-8; INBOX in capitals
    std::string list_mailbox(); // a pattern, in UTF-8
    int64_t date();             // days since 1970-01-01
    mail::Date date_time();

    std::string_view rest() const { return left_; }

private:
    std::string quoted();
    std::string literal();
    void flag(store::NamedFlags& into);
    std::string_view take(size_t count);
    template <class Test> std::string_view take_while(Test test);
    [[noreturn]] void wanted(std::string_view what) const;

    std::string_view left_;
    bool utf8_names_ = false;
};

bool is_atom_char(char c);

// "{310}" or "{310+}" at the end of a line.
struct LiteralHead {
    uint64_t size = 0;
    bool synchronizing = true;
    size_t start = 0; // of '{' in the line
};
std::optional<LiteralHead> literal_head(std::string_view line);

} // namespace imapd
