#include "pipe/attributes.h"

#include "pipe/macros.h"

#include "base/text.h"
#include "config/error.h"

#include <fmt/format.h>

namespace local_delivery {
namespace {

struct Flag {
    char letter;
    bool PipeAttributes::*field;
};
constexpr Flag flags[] = {
    {'B', &PipeAttributes::blank_line_at_end}, {'D', &PipeAttributes::delivered_to}, {'F', &PipeAttributes::from_line},
    {'O', &PipeAttributes::original_to},       {'R', &PipeAttributes::return_path},  {'X', &PipeAttributes::final_delivery},
    {'h', &PipeAttributes::fold_domain},       {'q', &PipeAttributes::quote},        {'u', &PipeAttributes::fold_user},
    {'.', &PipeAttributes::dot_lines},         {'>', &PipeAttributes::quote_from},
};

struct Letter {
    char written, meant;
};
constexpr Letter escapes[] = {{'a', '\a'}, {'b', '\b'}, {'f', '\f'}, {'n', '\n'}, {'r', '\r'}, {'t', '\t'}, {'v', '\v'}, {'\\', '\\'}};

void read_flags(std::string_view letters, PipeAttributes& attributes)
{
    for (char letter : letters) {
        const Flag* found = nullptr;
        for (const Flag& flag : flags)
            if (flag.letter == letter) found = &flag;
        if (!found) throw config::Error(fmt::format("flags={}: unknown flag {}, expected some of BDFORXhqu.>", base::printable(letters), base::printable({&letter, 1})));
        attributes.*found->field = true;
    }
}

void read_user(std::string_view text, PipeAttributes& attributes)
{
    base::Cut names = base::cut(text, ':');
    if (names.before.empty() || (names.found && names.after.empty()))
        throw config::Error(fmt::format("user={}: expected a name, or name:group", base::printable(text)));
    attributes.user = names.before;
    attributes.group = names.after;
}

uint64_t read_size(std::string_view text)
{
    auto size = base::number<uint64_t>(text);
    if (!size) throw config::Error(fmt::format("size={}: expected a number of bytes", base::printable(text)));
    return *size;
}

std::string folder(std::string_view name, std::string_view value)
{
    if (!value.starts_with('/')) throw config::Error(fmt::format("{}={}: expected an absolute path", name, base::printable(value)));
    return std::string(value);
}

} // namespace

std::string unescape(std::string_view text)
{
    std::string plain;
    while (!text.empty()) {
        char c = text.front();
        text.remove_prefix(1);
        if (c != '\\') {
            plain += c;
            continue;
        }
        size_t digits = 0;
        while (digits < 3 && digits < text.size() && text[digits] >= '0' && text[digits] <= '7') ++digits;
        if (auto code = base::number<unsigned>(text.substr(0, digits), 8); code && *code < 256) {
            plain += static_cast<char>(*code);
            text.remove_prefix(digits);
            continue;
        }
        const Letter* found = nullptr;
        for (const Letter& letter : escapes)
            if (!text.empty() && letter.written == text.front()) found = &letter;
        if (!found) throw config::Error(fmt::format("bad escape \\{}, expected one of \\a \\b \\f \\n \\r \\t \\v \\\\ \\ooo", base::printable(text.substr(0, 3))));
        plain += found->meant;
        text.remove_prefix(1);
    }
    return plain;
}

PipeAttributes parse_pipe_attributes(const std::vector<std::string>& words)
{
    PipeAttributes attributes;
    for (size_t i = 0; i < words.size() && attributes.argv.empty(); ++i) {
        auto [name, value, found] = base::cut(words[i], '=');
        if (name == "flags") read_flags(value, attributes);
        else if (name == "user") read_user(value, attributes);
        else if (name == "directory") attributes.directory = folder(name, value);
        else if (name == "chroot") attributes.chroot = folder(name, value);
        else if (name == "eol") attributes.eol = unescape(value);
        else if (name == "null_sender") attributes.null_sender = value;
        else if (name == "size") attributes.size_limit = read_size(value);
        else if (name == "argv") {
            // The last attribute: all that follows is the command.
            if (value.empty() && i + 1 < words.size()) attributes.argv.assign(words.begin() + static_cast<long>(i) + 1, words.end());
            else attributes.argv.assign(words.begin() + static_cast<long>(i), words.end());
            if (!value.empty()) attributes.argv.front() = value;
        } else {
            throw config::Error(fmt::format("unknown attribute {}, expected flags=, user=, directory=, chroot=, eol=, null_sender=, size= or argv=",
                                            base::printable(words[i], 100)));
        }
    }
    if (attributes.user.empty()) throw config::Error("missing user= command-line attribute");
    if (attributes.argv.empty() || attributes.argv.front().empty() || attributes.argv.front() == "argv=")
        throw config::Error("missing argv= command-line attribute");
    check_pipe_macros(attributes.argv);
    return attributes;
}

} // namespace local_delivery
