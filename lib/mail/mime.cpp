// mime: one pass over the lines; a stack of the boundaries that are open tells which part a delimiter line ends.
#include "mail/mime.h"

#include "base/text.h"
#include "mail/header.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace mail {

namespace {

// A place between two lines, and what was counted up to it.
struct Mark {
    uint64_t offset = 0, lines = 0, bare = 0; // bare: line ends that are LF alone
};

// A delimiter line: which open boundary, and whether "--" follows it. level -1: the message ended.
struct Stop {
    int level = -1;
    bool closing = false;
};

std::string_view first_word(std::string_view text)
{
    text = base::trim(text);
    return text.substr(0, std::min(text.find_first_of(" \t\r\n;(", 0), text.size()));
}

void read_type(Part& part, std::string_view value)
{
    const size_t end = std::min(value.find(';'), value.size());
    const std::string_view both = base::trim(value.substr(0, std::min(end, value.find('('))));
    const auto [type, subtype, has_subtype] = base::cut(both, '/');
    part.parameters = parse_raw_parameters(value.substr(end));
    const auto sound = [](std::string_view word) {
        return !word.empty() && word.size() <= 127 && std::all_of(word.begin(), word.end(), [](char c) {
            return c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != '/';
        });
    };
    const std::string_view subtype_word = first_word(subtype);
    if (has_subtype && sound(base::trim(type)) && sound(subtype_word)) {
        part.type = base::lower(base::trim(type));
        part.subtype = base::lower(subtype_word);
    } else {
        part.type = "text"; // RFC 2045 5.2: a broken type is read as none
        part.subtype = "plain";
    }
}

std::vector<std::string> read_languages(std::string_view value)
{
    std::vector<std::string> languages;
    for (std::string_view tag : base::split(value, ", \t\r\n"))
        if (languages.size() < 100) languages.emplace_back(tag);
    return languages;
}

void read_field(Part& part, const Field& field)
{
    constexpr std::string_view prefix = "Content-";
    if (!base::starts_with_word(field.name, prefix)) return;
    const std::string_view name = field.name.substr(prefix.size());
    const auto is = [name](std::string_view word) { return base::same_word(name, word); };
    if (is("Type"))
        read_type(part, field.value);
    else if (is("Transfer-Encoding"))
        part.encoding = unfold(first_word(field.value));
    else if (is("ID"))
        part.id = unfold(field.value);
    else if (is("Description"))
        part.description = unfold(field.value);
    else if (is("MD5"))
        part.md5 = unfold(field.value);
    else if (is("Location"))
        part.location = unfold(field.value);
    else if (is("Language"))
        part.languages = read_languages(field.value);
    else if (is("Disposition")) {
        const size_t end = std::min(field.value.find(';'), field.value.size());
        const std::string type = base::lower(first_word(field.value.substr(0, end)));
        if (!type.empty()) part.disposition = Disposition{type, parse_raw_parameters(field.value.substr(end))};
    }
}

class Reader {
public:
    Reader(std::string_view message, const MimeLimits& limits) : message_(message), limits_(limits) {}

    Part read()
    {
        Part root;
        read_entity(root, false);
        return root;
    }

private:
    // Header and body of one entity, up to a delimiter line of an open boundary (which is taken) or the end of the
    // message.
    Stop read_entity(Part& part, bool in_digest)
    {
        ++depth_;
        ++parts_;
        if (in_digest) {
            part.type = "message"; // RFC 2046 5.1.5
            part.subtype = "rfc822";
        }
        const Mark start = here_;
        auto stop = read_header(part);
        const Mark header_end = stop ? std::max(start, before_delimiter_, earlier) : here_;
        part.header = {start.offset, header_end.offset - start.offset};
        part.header_octets = octets(start, header_end);
        if (stop)
            part.body = {header_end.offset, 0};
        else
            stop = read_body(part, header_end);
        --depth_;
        return *stop;
    }

    static bool earlier(const Mark& a, const Mark& b) { return a.offset < b.offset; }
    static uint64_t octets(const Mark& from, const Mark& to) { return to.offset - from.offset + (to.bare - from.bare); }

    // Nothing when the header ended with its empty line or the message; a delimiter inside the header ends the entity.
    std::optional<Stop> read_header(Part& part)
    {
        const uint64_t start = here_.offset;
        std::optional<Stop> stop;
        uint64_t end = start;
        while (here_.offset < message_.size()) {
            const std::string_view line = next_line();
            if ((stop = delimiter(line))) break;
            end = here_.offset;
            if (line.empty()) break;
        }
        const std::string_view header = message_.substr(start, end - start);
        for (const Field& field : Fields(header)) read_field(part, field);
        if (part.type == "text" && !find_parameter(part.parameters, "charset"))
            part.parameters.push_back({"charset", "us-ascii"});
        if (part.encoding.empty()) part.encoding = "7bit";
        return stop;
    }

    Stop read_body(Part& part, const Mark& body)
    {
        const bool deeper = depth_ < limits_.depth && parts_ < limits_.parts;
        Stop stop;
        if (part.is_multipart() && deeper)
            stop = read_multipart(part);
        else if (part.is_message() && deeper)
            stop = read_message(part);
        else
            stop = skip_to_delimiter();
        const Mark end = stop.level < 0 ? here_ : std::max(before_delimiter_, body, earlier);
        part.body = {body.offset, end.offset - body.offset};
        part.octets = octets(body, end);
        part.lines = end.lines - body.lines;
        return stop;
    }

    Stop read_message(Part& part)
    {
        Part& inside = part.parts.emplace_back();
        const Stop stop = read_entity(inside, false);
        part.envelope = parse_envelope(inside.header.of(message_));
        return stop;
    }

    Stop read_multipart(Part& part)
    {
        const std::string* boundary = find_parameter(part.parameters, "boundary");
        if (!boundary || boundary->empty() || boundary->size() > limits_.boundary) return skip_to_delimiter();
        // RFC 2046 5.1.1: a boundary never ends in space; what a mailer added is not part of it.
        const std::string own(base::trim_right(*boundary));
        const int level = static_cast<int>(boundaries_.size());
        boundaries_.push_back(own);
        Stop stop = skip_to_delimiter();
        while (stop.level == level && !stop.closing && parts_ < limits_.parts)
            stop = read_entity(part.parts.emplace_back(), part.subtype == "digest");
        boundaries_.pop_back();
        // The epilogue, or what goes beyond the limit, reaches to the delimiter of an outer part.
        if (stop.level == level) stop = skip_to_delimiter();
        return stop;
    }

    Stop skip_to_delimiter()
    {
        if (boundaries_.empty()) {
            const std::string_view rest = message_.substr(here_.offset);
            const WireSize size = wire_size(rest);
            here_.bare += size.octets - rest.size();
            here_.lines += size.lines;
            here_.offset = message_.size();
            return {};
        }
        while (here_.offset < message_.size())
            if (const auto stop = delimiter(next_line())) return *stop;
        return {};
    }

    // The next line without its end; here_ moves behind it.
    std::string_view next_line()
    {
        const char* begin = message_.data() + here_.offset;
        const size_t left = message_.size() - here_.offset;
        const char* lf = static_cast<const char*>(std::memchr(begin, '\n', left));
        const size_t length = lf ? static_cast<size_t>(lf - begin) : left;
        const bool crlf = lf && length > 0 && begin[length - 1] == '\r';
        // RFC 2046 5.1.1: the line end before a delimiter belongs to the delimiter.
        before_delimiter_ = previous_line_ended_ ? last_text_end_ : here_;
        last_text_end_ = {here_.offset + length - (crlf ? 1 : 0), here_.lines, here_.bare};
        previous_line_ended_ = lf != nullptr;
        here_.offset += length + (lf ? 1 : 0);
        here_.lines += lf ? 1 : 0;
        here_.bare += lf && !crlf ? 1 : 0;
        return {begin, length - (crlf ? 1 : 0)};
    }

    std::optional<Stop> delimiter(std::string_view line) const
    {
        if (line.size() < 3 || line[0] != '-' || line[1] != '-') return std::nullopt;
        line = base::trim_right(line.substr(2));
        for (size_t level = boundaries_.size(); level-- > 0;) {
            const std::string& boundary = boundaries_[level];
            if (line.substr(0, boundary.size()) != boundary) continue;
            const std::string_view after = line.substr(boundary.size());
            if (after.empty() || after == "--") return Stop{static_cast<int>(level), !after.empty()};
        }
        return std::nullopt;
    }

    std::string_view message_;
    MimeLimits limits_;
    Mark here_, before_delimiter_, last_text_end_;
    bool previous_line_ended_ = false;
    std::vector<std::string> boundaries_;
    size_t depth_ = 0, parts_ = 0;
};

// The part that number means within a message whose root entity is root.
const Part* child_of_message(const Part& root, uint32_t number)
{
    if (root.is_multipart()) return number >= 1 && number <= root.parts.size() ? &root.parts[number - 1] : nullptr;
    return number == 1 ? &root : nullptr;
}

} // namespace

Part parse_mime(std::string_view message, const MimeLimits& limits) { return Reader(message, limits).read(); }

const Part* find_part(const Part& root, std::span<const uint32_t> path)
{
    const Part* part = &root;
    bool is_root = true;
    for (uint32_t number : path) {
        if (is_root)
            part = child_of_message(*part, number);
        else if (part->is_multipart())
            part = child_of_message(*part, number);
        else if (part->is_message() && !part->parts.empty())
            part = child_of_message(part->parts[0], number);
        else
            return nullptr;
        if (!part) return nullptr;
        is_root = false;
    }
    return part;
}

WireSize wire_size(std::string_view bytes)
{
    WireSize size{bytes.size(), 0};
    const char* at = bytes.data();
    const char* end = at + bytes.size();
    while (at != end) {
        const auto* lf = static_cast<const char*>(std::memchr(at, '\n', static_cast<size_t>(end - at)));
        if (!lf) break;
        ++size.lines;
        if (lf == bytes.data() || lf[-1] != '\r') ++size.octets;
        at = lf + 1;
    }
    return size;
}

} // namespace mail
