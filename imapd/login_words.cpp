#include "login_words.h"

#include "base/text.h"

namespace imap_login {
namespace {

// atom-specials = "(" / ")" / "{" / SP / CTL / list-wildcards / quoted-specials / resp-specials
bool is_atom_char(char c)
{
    return static_cast<unsigned char>(c) > ' ' && static_cast<unsigned char>(c) < 0x7f &&
           std::string_view("(){%*\"\\]").find(c) == std::string_view::npos;
}

// ASTRING-CHAR = ATOM-CHAR / resp-specials
bool is_astring_char(char c) { return is_atom_char(c) || c == ']'; }

template <class Test> std::string_view take(std::string_view& text, Test test, const char* expected)
{
    size_t length = 0;
    while (length < text.size() && test(text[length])) ++length;
    if (length == 0) throw Syntax(expected);
    auto word = text.substr(0, length);
    text.remove_prefix(length);
    return word;
}

} // namespace

std::optional<LiteralAnnouncement> literal_at_end(std::string_view line)
{
    if (line.empty() || line.back() != '}') return std::nullopt;
    size_t open = line.rfind('{');
    if (open == std::string_view::npos) return std::nullopt;
    auto inside = line.substr(open + 1, line.size() - open - 2);
    LiteralAnnouncement announcement;
    if (!inside.empty() && inside.back() == '+') {
        announcement.waits = false;
        inside.remove_suffix(1);
    }
    auto bytes = base::number<uint32_t>(inside);
    if (!bytes) throw Syntax("Literal without a proper size");
    announcement.bytes = *bytes;
    return announcement;
}

std::string_view Words::tag()
{
    return take(left_, [](char c) { return is_astring_char(c) && c != '+'; }, "Expected a tag");
}

std::string_view Words::atom()
{
    return take(left_, is_atom_char, "Expected a word");
}

void Words::space()
{
    if (!skip(' ')) throw Syntax("Expected a space");
}

bool Words::skip(char c)
{
    if (left_.empty() || left_.front() != c) return false;
    left_.remove_prefix(1);
    return true;
}

void Words::end() const
{
    if (!left_.empty()) throw Syntax("Unexpected text at the end");
}

// quoted = DQUOTE *QUOTED-CHAR DQUOTE
std::string Words::quoted()
{
    std::string text;
    left_.remove_prefix(1);
    while (!left_.empty() && left_.front() != '"') {
        if (left_.front() == '\\') {
            left_.remove_prefix(1);
            if (left_.empty() || (left_.front() != '"' && left_.front() != '\\')) throw Syntax("Bad escape in a quoted string");
        }
        if (left_.front() == '\0' || left_.front() == '\r' || left_.front() == '\n') throw Syntax("Control character in a quoted string");
        text += left_.front();
        left_.remove_prefix(1);
    }
    if (!skip('"')) throw Syntax("Quoted string without an end");
    return text;
}

std::string Words::literal()
{
    size_t line_end = left_.find("\r\n");
    if (line_end == std::string_view::npos) throw Syntax("Literal inside a line");
    auto announcement = literal_at_end(left_.substr(0, line_end));
    if (!announcement || announcement->bytes > left_.size() - line_end - 2) throw Syntax("Bad literal");
    std::string text(left_.substr(line_end + 2, announcement->bytes));
    left_.remove_prefix(line_end + 2 + announcement->bytes);
    if (text.find('\0') != std::string::npos) throw Syntax("NUL in a literal");     // CHAR8 = %x01-ff
    return text;
}

// astring = 1*ASTRING-CHAR / string
std::string Words::astring()
{
    if (left_.empty()) throw Syntax("Missing argument");
    if (left_.front() == '"') return quoted();
    if (left_.front() == '{') return literal();
    return std::string(take(left_, is_astring_char, "Expected a string"));
}

std::optional<std::string> Words::nstring()
{
    if (!left_.empty() && (left_.front() == '"' || left_.front() == '{')) return astring();
    if (!base::same_word(atom(), "NIL")) throw Syntax("Expected a string or NIL");
    return std::nullopt;
}

} // namespace imap_login
