// aliases_text: the grammar of /etc/aliases and of alias values.
#include "maps/aliases_text.h"

#include "base/text.h"

#include <fmt/format.h>

namespace maps {

namespace {

// Walks over the lexical pieces of RFC 822: quoted strings, (nested comments), <routes> and plain bytes.
class Pieces {
public:
    enum class Kind { byte, quoted, comment, angle, end };
    explicit Pieces(std::string_view text) : text_(text) {}

    Kind next()
    {
        begin_ = at_;
        if (at_ >= text_.size()) return Kind::end;
        switch (text_[at_]) {
        case '"': skip_quoted(); return Kind::quoted;
        case '(': skip_comment(); return Kind::comment;
        case '<': skip_angle(); return Kind::angle;
        case '\\': at_ = std::min(at_ + 2, text_.size()); return Kind::byte;
        default: ++at_; return Kind::byte;
        }
    }
    std::string_view piece() const { return text_.substr(begin_, at_ - begin_); }
    size_t begin() const { return begin_; }
    size_t position() const { return at_; }

private:
    void skip_quoted()
    {
        for (++at_; at_ < text_.size(); ++at_) {
            if (text_[at_] == '\\') ++at_;
            else if (text_[at_] == '"') break;
        }
        at_ = std::min(at_ + 1, text_.size());
    }
    void skip_comment()
    {
        int depth = 0;
        for (; at_ < text_.size(); ++at_) {
            if (text_[at_] == '\\') ++at_;
            else if (text_[at_] == '(') ++depth;
            else if (text_[at_] == ')' && --depth == 0) break;
        }
        at_ = std::min(at_ + 1, text_.size());
    }
    void skip_angle()
    {
        for (++at_; at_ < text_.size(); ++at_) {
            if (text_[at_] == '\\') ++at_;
            else if (text_[at_] == '"') {
                skip_quoted();
                --at_;
            } else if (text_[at_] == '>')
                break;
        }
        at_ = std::min(at_ + 1, text_.size());
    }

    std::string_view text_;
    size_t at_ = 0, begin_ = 0;
};

std::string unquoted(std::string_view text)
{
    std::string plain;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '"') continue;
        if (text[i] == '\\' && i + 1 < text.size()) ++i;
        plain += text[i];
    }
    return plain;
}

// Whether the quotes at both ends belong together and enclose the whole: "a b", but not "a"@"b".
bool wholly_quoted(std::string_view text)
{
    Pieces pieces(text);
    return pieces.next() == Pieces::Kind::quoted && pieces.position() == text.size() && text.size() >= 2 && text.back() == '"';
}

AliasMember special(std::string_view plain)
{
    constexpr std::string_view include = ":include:";
    if (plain.starts_with('|')) return {AliasMember::Kind::command, std::string(base::trim(plain.substr(1)))};
    if (plain.starts_with('/')) return {AliasMember::Kind::file, std::string(plain)};
    if (base::starts_with_word(plain, include))
        return {AliasMember::Kind::include, std::string(base::trim(plain.substr(include.size())))};
    return {AliasMember::Kind::address, std::string(plain)};
}

// "|"cmd arg"" as some people write it: what follows the bar is the command, its quotes taken off when they enclose it.
AliasMember command(std::string_view text)
{
    text = base::trim(text.substr(1));
    return {AliasMember::Kind::command, wholly_quoted(text) ? unquoted(text) : std::string(text)};
}

void add_member(std::string_view text, std::vector<AliasMember>& into)
{
    text = base::trim(text);
    if (text.empty()) return;
    if (text.front() == '|') {
        if (AliasMember member = command(text); !member.text.empty()) into.push_back(std::move(member));
        return;
    }
    if (wholly_quoted(text)) {
        std::string plain = unquoted(text);
        AliasMember member = special(plain);
        // A quoted name stays quoted where it must, so that "a b" is still one local part.
        if (member.kind == AliasMember::Kind::address) member.text = plain.find_first_of(" \t\"(),:;<>@[]\\") == plain.npos ? plain : text;
        if (!member.text.empty() && member.text != "\"\"") into.push_back(std::move(member));
        return;
    }
    std::string address;
    std::string_view angle;
    Pieces pieces(text);
    for (auto kind = pieces.next(); kind != Pieces::Kind::end; kind = pieces.next()) {
        if (kind == Pieces::Kind::comment) continue;
        if (kind == Pieces::Kind::angle) angle = pieces.piece();
        else if (kind == Pieces::Kind::byte && pieces.piece().size() == 2) address += pieces.piece()[1];
        else address += pieces.piece();
    }
    if (!angle.empty()) {
        angle.remove_prefix(1);
        if (angle.ends_with('>')) angle.remove_suffix(1);
        address = base::trim(angle);
    }
    AliasMember member = special(base::trim(address));
    if (!member.text.empty()) into.push_back(std::move(member));
}

} // namespace

ParsedText parse_aliases(std::string_view text)
{
    ParsedText parsed;
    LogicalLines lines(text);
    LogicalLine line;
    auto warn = [&](std::string what) { parsed.warnings.push_back({line.first, std::move(what)}); };
    while (lines.next(line)) {
        std::string name;
        bool found = false, local = true;
        Pieces pieces(line.text);
        for (auto kind = pieces.next(); kind != Pieces::Kind::end; kind = pieces.next()) {
            if (kind == Pieces::Kind::comment) continue;
            if (kind == Pieces::Kind::byte && pieces.piece() == ":") {
                found = true;
                break;
            }
            if (kind == Pieces::Kind::byte && pieces.piece() == "@") local = false;
            name += pieces.piece();
        }
        std::string_view value = found ? base::trim(std::string_view(line.text).substr(pieces.position())) : std::string_view();
        std::string key = unquoted(base::trim(name));
        if (!found || key.empty() || value.empty()) {
            warn("need name:value pair");
            continue;
        }
        if (!local || key.find('\0') != key.npos) {
            warn("name must be local");
            continue;
        }
        parsed.entries.push_back({std::move(key), std::string(value), line.first});
    }
    return parsed;
}

std::vector<AliasMember> parse_alias_value(std::string_view value)
{
    std::vector<AliasMember> members;
    Pieces pieces(value);
    size_t begin = 0;
    bool command = false;
    auto finish = [&](size_t end) {
        add_member(value.substr(begin, end - begin), members);
        begin = pieces.position();
        command = false;
    };
    for (auto kind = pieces.next(); kind != Pieces::Kind::end; kind = pieces.next()) {
        if (kind != Pieces::Kind::byte) continue;
        std::string_view before = base::trim(value.substr(begin, pieces.begin() - begin));
        char c = pieces.piece().front();
        if (c == '|' && before.empty()) command = true;
        if (c == ',' || c == '\n') finish(pieces.begin());
        else if (c == ';' && !command) finish(pieces.begin());
        else if (c == ':' && !command && !before.empty() && before.front() != ':' && before.front() != '/') begin = pieces.position();
    }
    add_member(value.substr(std::min(begin, value.size())), members);
    return members;
}

std::vector<AliasMember> parse_alias_list(std::string_view text)
{
    std::vector<AliasMember> members;
    LogicalLines lines(text);
    LogicalLine line;
    while (lines.next(line)) {
        for (AliasMember& member : parse_alias_value(line.text)) members.push_back(std::move(member));
    }
    return members;
}

} // namespace maps
