// address: an element of a list is cut into tokens first; which of them are name, route and address shows only at its
// end.
#include "mail/address.h"

#include "base/text.h"
#include "mail/header.h"

#include <algorithm>
#include <utility>

namespace mail {

namespace {

struct Token {
    enum class Kind : uint8_t { end, word, quoted, literal, comment, special };
    Kind kind = Kind::end;
    std::string_view raw; // quoted, literal and comment: without their delimiters
    bool space_before = false;
    bool is(char c) const { return kind == Kind::special && raw[0] == c; }
};

constexpr bool is_special(char c)
{
    return c == ',' || c == ';' || c == ':' || c == '<' || c == '>' || c == '@' || c == '(' || c == '[' || c == '"';
}

class Scanner {
public:
    explicit Scanner(std::string_view text) : text_(text) {}

    Token next()
    {
        const bool space = skip_space();
        if (at_ >= text_.size()) return {};
        Token token = scan();
        token.space_before = space;
        return token;
    }
    size_t position() const { return at_; }
    void go_to(size_t position) { at_ = position; }

private:
    bool skip_space()
    {
        const size_t before = at_;
        while (at_ < text_.size() && (base::is_space(text_[at_]) || text_[at_] == '\0')) ++at_;
        return at_ != before;
    }

    Token scan()
    {
        switch (text_[at_]) {
        case '"': return {Token::Kind::quoted, until('"')};
        case '[': return {Token::Kind::literal, until(']')};
        case '(': return {Token::Kind::comment, comment()};
        default: break;
        }
        const size_t start = at_;
        if (is_special(text_[at_])) {
            ++at_;
            return {Token::Kind::special, text_.substr(start, 1)};
        }
        while (at_ < text_.size() && !is_special(text_[at_]) && !base::is_space(text_[at_]) && text_[at_] != '\0')
            at_ += text_[at_] == '\\' && at_ + 1 < text_.size() ? 2 : 1;
        return {Token::Kind::word, text_.substr(start, at_ - start)};
    }

    std::string_view until(char close)
    {
        const size_t start = ++at_;
        while (at_ < text_.size() && text_[at_] != close) at_ += text_[at_] == '\\' && at_ + 1 < text_.size() ? 2 : 1;
        const std::string_view inside = text_.substr(start, at_ - start);
        if (at_ < text_.size()) ++at_;
        return inside;
    }

    std::string_view comment()
    {
        const size_t start = ++at_;
        size_t depth = 1;
        for (; at_ < text_.size(); ++at_) {
            if (text_[at_] == '\\' && at_ + 1 < text_.size())
                ++at_;
            else if (text_[at_] == '(')
                ++depth;
            else if (text_[at_] == ')' && --depth == 0)
                return text_.substr(start, at_++ - start);
        }
        return text_.substr(start);
    }

    std::string_view text_;
    size_t at_ = 0;
};

// Quoted pairs undone, line ends of folds dropped.
void append_unescaped(std::string& out, std::string_view raw)
{
    for (size_t i = 0; i < raw.size(); ++i) {
        if (raw[i] == '\\' && i + 1 < raw.size()) ++i;
        if (raw[i] != '\r' && raw[i] != '\n' && raw[i] != '\0') out.push_back(raw[i]);
    }
}

using Tokens = std::vector<Token>;

std::string phrase(const Tokens& tokens)
{
    std::string out;
    for (const Token& token : tokens) {
        if (token.kind == Token::Kind::comment) continue;
        if (!out.empty() && token.space_before) out.push_back(' ');
        if (token.kind == Token::Kind::literal)
            out.append("[").append(token.raw).append("]");
        else
            append_unescaped(out, token.raw);
    }
    return out;
}

std::string last_comment(const Tokens& tokens)
{
    for (size_t i = tokens.size(); i-- > 0;)
        if (tokens[i].kind == Token::Kind::comment) {
            std::string out;
            append_unescaped(out, tokens[i].raw);
            return std::string(base::trim(out));
        }
    return {};
}

// RFC 5322 4.4: space is allowed around dots. Between words it is no syntax at all, but means the space of a quoted
// string.
std::string join_local(const Token* begin, const Token* end)
{
    std::string out;
    for (; begin != end; ++begin) {
        if (begin->kind == Token::Kind::comment) continue;
        const bool dot_first = begin->kind == Token::Kind::word && begin->raw[0] == '.';
        if (!out.empty() && begin->space_before && out.back() != '.' && !dot_first &&
            begin->kind != Token::Kind::special)
            out.push_back(' ');
        if (begin->kind == Token::Kind::literal)
            out.append("[").append(begin->raw).append("]");
        else
            append_unescaped(out, begin->raw);
    }
    return out;
}

bool continues_domain(const std::string& domain, const Token& token)
{
    if (domain.empty() || domain.back() == '.') return true;
    return (token.kind == Token::Kind::word && token.raw[0] == '.') || !token.space_before;
}

// Ends where something else than a domain begins.
std::string join_domain(const Token* begin, const Token* end)
{
    std::string out;
    for (; begin != end; ++begin) {
        if (begin->kind == Token::Kind::comment) continue;
        if (begin->kind == Token::Kind::special || !continues_domain(out, *begin)) break;
        if (begin->kind == Token::Kind::literal) {
            out.push_back('[');
            for (char c : begin->raw)
                if (!base::is_space(c)) out.push_back(c);
            out.push_back(']');
        } else {
            append_unescaped(out, begin->raw);
        }
    }
    return out;
}

void read_spec(const Tokens& tokens, Address& address)
{
    const Token* begin = tokens.data();
    const Token* end = begin + tokens.size();
    while (begin != end && begin->kind == Token::Kind::comment) ++begin;
    if (begin != end && begin->is('@')) {
        // RFC 5322 4.4, obs-route: "@a,@b:" before the address.
        for (const Token* colon = begin; colon != end; ++colon)
            if (colon->is(':')) {
                for (; begin != colon; ++begin)
                    if (begin->kind != Token::Kind::comment) address.route.append(begin->raw);
                ++begin;
                break;
            }
    }
    const Token* at = nullptr;
    for (const Token* token = begin; token != end; ++token)
        if (token->is('@')) at = token;
    address.local = join_local(begin, at ? at : end);
    if (at) address.domain = join_domain(at + 1, end);
}

class ListReader {
public:
    ListReader(std::string_view value, size_t limit) : value_(value), scanner_(value), limit_(limit) {}

    std::vector<Address> read()
    {
        while (found_.size() < limit_ && read_element()) {
        }
        if (in_group_ && found_.size() < limit_) found_.push_back({Address::Kind::group_end, {}, {}, {}, {}});
        return std::move(found_);
    }

private:
    // One element up to its separator; false at the end of the value.
    bool read_element()
    {
        Tokens tokens;
        bool seen_at = false;
        for (;;) {
            const size_t before = scanner_.position();
            const Token token = scanner_.next();
            if (token.kind == Token::Kind::end || token.is(',') || token.is(';')) {
                add_bare(tokens);
                if (token.is(';')) close_group();
                return token.kind != Token::Kind::end;
            }
            if (token.is('<')) return read_angle(tokens);
            if (token.is(':') && !seen_at) return open_group(tokens);
            if (seen_at && token.kind == Token::Kind::word && starts_another(tokens, token, before)) {
                add_bare(tokens);
                scanner_.go_to(before);
                return true;
            }
            seen_at |= token.is('@');
            if (!token.is('>')) tokens.push_back(token);
        }
    }

    // "a@b c@d": a forgotten comma. Without a second '@' it is junk that stays with the first.
    bool starts_another(const Tokens& tokens, const Token& token, size_t from)
    {
        if (!token.space_before || tokens.back().is('@') || token.raw[0] == '.') return false;
        if (tokens.back().kind == Token::Kind::word && tokens.back().raw.back() == '.') return false;
        return next_mark(from) == '@';
    }

    // The next of "@,;<" at or after from. Remembered, so that a long row of junk words is not searched for each of
    // them.
    char next_mark(size_t from)
    {
        if (mark_ < from || mark_ == 0) mark_ = std::min(value_.find_first_of("@,;<", from), value_.size());
        return mark_ < value_.size() ? value_[mark_] : '\0';
    }

    bool read_angle(const Tokens& name)
    {
        Address address;
        address.name = phrase(name);
        Tokens tokens;
        Token token;
        for (token = scanner_.next(); token.kind != Token::Kind::end && !token.is('>'); token = scanner_.next())
            if (!token.is('<')) tokens.push_back(token);
        read_spec(tokens, address);
        const bool more = skip_to_separator(address);
        if (address.name.empty()) address.name = last_comment(name);
        add(std::move(address));
        return more;
    }

    // After '>' comes a comment, a separator, or what somebody wrote without one.
    bool skip_to_separator(Address& address)
    {
        for (;;) {
            const size_t before = scanner_.position();
            const Token token = scanner_.next();
            if (token.kind == Token::Kind::end) return false;
            if (token.is(',')) return true;
            if (token.is(';')) {
                pending_close_ = true;
                return true;
            }
            if (token.kind == Token::Kind::comment) {
                if (address.name.empty()) append_unescaped(address.name, token.raw);
                continue;
            }
            if (token.is('>')) continue;
            if (const char mark = next_mark(before); mark == '<' || mark == '@') {
                scanner_.go_to(before);
                return true;
            }
        }
    }

    bool open_group(const Tokens& tokens)
    {
        if (tokens.empty()) return true;
        close_group();
        add({Address::Kind::group_begin, phrase(tokens), {}, {}, {}});
        in_group_ = true;
        return true;
    }

    void close_group()
    {
        if (in_group_) add({Address::Kind::group_end, {}, {}, {}, {}});
        in_group_ = false;
    }

    void add_bare(const Tokens& tokens)
    {
        Address address;
        read_spec(tokens, address);
        if (address.local.empty() && address.domain.empty()) return;
        address.name = last_comment(tokens);
        add(std::move(address));
    }

    void add(Address address)
    {
        const bool nothing = address.kind == Address::Kind::mailbox && address.local.empty() &&
                             address.domain.empty() && address.name.empty();
        if (!nothing && found_.size() < limit_) found_.push_back(std::move(address));
        if (std::exchange(pending_close_, false)) close_group();
    }

    std::string_view value_;
    Scanner scanner_;
    size_t limit_, mark_ = 0;
    std::vector<Address> found_;
    bool in_group_ = false, pending_close_ = false;
};

} // namespace

std::string Address::internal() const { return domain.empty() ? local : local + "@" + domain; }

std::string Address::external() const
{
    if (local.empty() && domain.empty()) return {};
    return domain.empty() ? quote_local(local) : quote_local(local) + "@" + domain;
}

std::vector<Address> parse_addresses(std::string_view value, size_t limit) { return ListReader(value, limit).read(); }

std::vector<std::string> mailboxes(std::string_view value, size_t limit)
{
    std::vector<std::string> out;
    for (const Address& address : parse_addresses(value, limit))
        if (address.kind == Address::Kind::mailbox && !address.local.empty()) out.push_back(address.internal());
    return out;
}

std::string write_address(const Address& address, bool utf8)
{
    switch (address.kind) {
    case Address::Kind::group_begin: return write_phrase(address.name) + ":";
    case Address::Kind::group_end: return ";";
    case Address::Kind::mailbox: break;
    }
    const std::string spec = address.external();
    if (address.name.empty()) return spec.empty() ? "<>" : spec;
    const bool plain = utf8 && base::is_utf8(address.name) && !base::is_ascii(address.name);
    return (plain ? quote_local(address.name) : write_phrase(address.name)) + " <" + spec + ">";
}

} // namespace mail
