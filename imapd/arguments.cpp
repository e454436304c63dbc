#include "arguments.h"

#include "base/text.h"
#include "store/utf7.h"

#include <fmt/format.h>

namespace imapd {

// ATOM-CHAR = <any CHAR except atom-specials>;  atom-specials = "(" / ")" / "{" / SP / CTL / list-wildcards /
// quoted-specials / "]"
bool is_atom_char(char c)
{
    return c > ' ' && c < 127 && std::string_view("(){%*\"\\]").find(c) == std::string_view::npos;
}

std::optional<LiteralHead> literal_head(std::string_view line)
{
    if (line.size() < 3 || line.back() != '}') return std::nullopt;
    size_t start = line.rfind('{');
    if (start == std::string_view::npos) return std::nullopt;
    std::string_view digits = line.substr(start + 1, line.size() - start - 2);
    LiteralHead head;
    head.start = start;
    if (!digits.empty() && digits.back() == '+') {
        head.synchronizing = false;
        digits.remove_suffix(1);
    }
    if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
    // A number beyond 64 bits stays the largest one, which every limit refuses.
    head.size = base::number<uint64_t>(digits).value_or(UINT64_MAX);
    return head;
}

void Arguments::wanted(std::string_view what) const
{
    std::string_view found = left_.substr(0, std::min<size_t>(left_.size(), 20));
    if (found.empty()) throw Bad(fmt::format("Expected {} at the end of the command", what));
    throw Bad(fmt::format("Expected {} at: {}", what, base::printable(found)));
}

std::string_view Arguments::take(size_t count)
{
    std::string_view part = left_.substr(0, count);
    left_.remove_prefix(count);
    return part;
}

template <class Test> std::string_view Arguments::take_while(Test test)
{
    size_t count = 0;
    while (count < left_.size() && test(left_[count])) ++count;
    return take(count);
}

bool Arguments::skip(char c)
{
    if (!at(c)) return false;
    left_.remove_prefix(1);
    return true;
}

void Arguments::expect(char c)
{
    if (!skip(c)) wanted(c == ' ' ? std::string("a space") : fmt::format("'{}'", c));
}

void Arguments::end()
{
    take_while([](char c) { return c == ' '; });
    if (!left_.empty()) wanted("the end of the command");
}

// tag = 1*<any ASTRING-CHAR except "+">
std::string_view Arguments::tag()
{
    auto text = take_while([](char c) { return c != '+' && (is_atom_char(c) || c == ']'); });
    if (text.empty()) wanted("a tag");
    return text;
}

std::string_view Arguments::atom()
{
    auto text = take_while(is_atom_char);
    if (text.empty()) wanted("an atom");
    return text;
}

std::string_view Arguments::keyword()
{
    auto text = take_while([](char c) { return base::is_alnum(c) || c == '.' || c == '-'; });
    if (text.empty()) wanted("a word");
    return text;
}

bool Arguments::skip_keyword(std::string_view word)
{
    if (!base::starts_with_word(left_, word)) return false;
    if (left_.size() > word.size()) {
        char next = left_[word.size()];
        if (base::is_alnum(next) || next == '.' || next == '-') return false;
    }
    left_.remove_prefix(word.size());
    return true;
}

// quoted = DQUOTE *QUOTED-CHAR DQUOTE. Bytes above 127 are let through: mail programs send them, and no harm is done.
std::string Arguments::quoted()
{
    expect('"');
    std::string text;
    while (true) {
        text += take_while([](char c) { return c != '"' && c != '\\' && c != '\r' && c != '\n' && c != '\0'; });
        if (skip('"')) return text;
        if (!skip('\\')) wanted("the end of a quoted string");
        if (!at('"') && !at('\\')) wanted("'\"' or '\\' after '\\' in a quoted string");
        text += take(1);
    }
}

// literal = "{" number ["+"] "}" CRLF *CHAR8
std::string Arguments::literal()
{
    size_t line_end = left_.find("\r\n");
    auto head = line_end == std::string_view::npos ? std::nullopt : literal_head(left_.substr(0, line_end));
    if (!head || head->start != 0) wanted("a literal");
    left_.remove_prefix(line_end + 2);
    if (head->size > left_.size()) wanted("a whole literal");
    std::string text(take(head->size));
    if (text.find('\0') != std::string::npos) throw Bad("NUL in a literal");
    return text;
}

std::string Arguments::string()
{
    if (at('"')) return quoted();
    if (at('{')) return literal();
    wanted("a string");
}

std::string Arguments::astring()
{
    if (at('"')) return quoted();
    if (at('{')) return literal();
    auto text = take_while([](char c) { return is_atom_char(c) || c == ']'; });
    if (text.empty()) wanted("an atom or a string");
    return std::string(text);
}

std::optional<std::string> Arguments::nstring()
{
    if (at('"') || at('{')) return string();
    if (!skip_keyword("NIL")) wanted("a string or NIL");
    return std::nullopt;
}

uint32_t Arguments::number()
{
    auto digits = take_while(base::is_digit);
    if (digits.empty()) wanted("a number");
    auto value = base::number<uint32_t>(digits);
    if (!value) throw Bad("Number too large");
    return *value;
}

uint32_t Arguments::nz_number()
{
    uint32_t value = number();
    if (value == 0) throw Bad("Zero is not allowed here");
    return value;
}

uint64_t Arguments::number64()
{
    auto digits = take_while(base::is_digit);
    if (digits.empty()) wanted("a number");
    auto value = base::number<uint64_t>(digits);
    if (!value) throw Bad("Number too large");
    return *value;
}

// sequence-set = (seq-number / seq-range) *("," sequence-set)
SequenceSet Arguments::sequence_set()
{
    SequenceSet set;
    set.saved = skip('$');
    if (set.saved) return set;
    do {
        Interval part;
        part.first = skip('*') ? 0 : nz_number();
        part.last = part.first;
        if (skip(':')) part.last = skip('*') ? 0 : nz_number();
        set.parts.push_back(part);
    } while (skip(','));
    return set;
}

void Arguments::flag(store::NamedFlags& into)
{
    static constexpr struct {
        std::string_view name;
        store::Flags bit;
    } system_flags[] = {{"Seen", store::flag::seen},       {"Answered", store::flag::answered},
                        {"Flagged", store::flag::flagged}, {"Deleted", store::flag::deleted},
                        {"Draft", store::flag::draft},     {"Recent", 0}};
    if (!skip('\\')) {
        into.keywords.emplace_back(atom());
        return;
    }
    auto name = atom();
    for (const auto& known : system_flags) {
        if (!base::same_word(name, known.name)) continue;
        into.system |= known.bit;
        return;
    }
    throw Bad(fmt::format("Unknown system flag \\{}", base::printable(name, 40)));
}

store::NamedFlags Arguments::flag_list(bool parentheses_needed)
{
    store::NamedFlags flags;
    bool parentheses = parentheses_needed || at('(');
    if (parentheses) {
        expect('(');
        if (skip(')')) return flags;
    }
    do flag(flags);
    while (skip(' '));
    if (parentheses) expect(')');
    return flags;
}

std::string Arguments::mailbox()
{
    std::string text = astring();
    if (base::same_word(text, "INBOX")) return "INBOX";
    if (utf8_names_) {
        if (!base::is_utf8(text)) throw Bad("Mailbox name is not UTF-8");
        return text;
    }
    auto name = store::from_utf7(text);
    if (!name) throw Bad("Mailbox name is not modified UTF-7");
    return *name;
}

// list-mailbox = 1*list-char / string;  list-char = ATOM-CHAR / list-wildcards / resp-specials
std::string Arguments::list_mailbox()
{
    std::string text;
    if (at('"') || at('{'))
        text = string();
    else {
        text = take_while([](char c) { return is_atom_char(c) || c == '%' || c == '*' || c == ']'; });
        if (text.empty()) wanted("a mailbox pattern");
    }
    if (text.size() > 1000) throw Bad("Mailbox pattern too long");
    if (utf8_names_) return text;
    // What is no modified UTF-7 matches no mailbox, or what it says in ASCII.
    return store::from_utf7(text).value_or(text);
}

int64_t Arguments::date()
{
    std::string text = at('"') ? quoted() : std::string(atom());
    auto day = mail::parse_imap_day(text);
    if (!day) throw Bad("Expected a date such as 1-Feb-1994");
    return *day;
}

mail::Date Arguments::date_time()
{
    auto date = mail::parse_imap_date(quoted());
    if (!date) throw Bad("Expected a date such as \"17-Jul-1996 02:44:25 -0700\"");
    return *date;
}

} // namespace imapd
