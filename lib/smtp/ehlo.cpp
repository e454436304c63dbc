// ehlo: keyword lines into capabilities.
#include "smtp/ehlo.h"

#include "base/text.h"

#include <algorithm>
#include <utility>

namespace smtp {

namespace {

struct Flag {
    std::string_view keyword;
    bool Capabilities::*member;
};
constexpr Flag flags[] = {
    {"PIPELINING", &Capabilities::pipelining},
    {"8BITMIME", &Capabilities::eightbitmime},
    {"STARTTLS", &Capabilities::starttls},
    {"CHUNKING", &Capabilities::chunking},
    {"BINARYMIME", &Capabilities::binarymime},
    {"SMTPUTF8", &Capabilities::smtputf8},
    {"DSN", &Capabilities::dsn},
    {"ENHANCEDSTATUSCODES", &Capabilities::enhancedstatuscodes},
    {"REQUIRETLS", &Capabilities::requiretls},
    {"ETRN", &Capabilities::etrn},
    {"VRFY", &Capabilities::vrfy},
};

void add_words(std::vector<std::string>& to, std::string_view text)
{
    for (std::string_view word : base::split(text, " \t")) {
        std::string name = base::upper(word);
        if (std::find(to.begin(), to.end(), name) == to.end()) to.push_back(std::move(name));
    }
}

// RFC 9422 4: name=value pairs; an unknown or broken one is ignored.
void read_limits(Capabilities& found, std::string_view text)
{
    for (std::string_view word : base::split(text, " \t")) {
        const auto [name, value, is_pair] = base::cut(word, '=');
        const auto number = base::number<uint32_t>(value);
        if (!number || *number == 0) continue;
        if (base::same_word(name, "MAILMAX")) found.mail_max = number;
        if (base::same_word(name, "RCPTMAX")) found.rcpt_max = number;
        if (base::same_word(name, "RCPTDOMAINMAX")) found.rcpt_domain_max = number;
    }
}

void read_keyword(Capabilities& found, const std::string& keyword, std::string_view rest)
{
    for (const Flag& flag : flags)
        if (keyword == flag.keyword) found.*flag.member = true;
    if (keyword == "SIZE") {
        found.size_known = true;
        found.size = base::number<uint64_t>(rest).value_or(0);
    }
    // Old servers say AUTH=PLAIN LOGIN, some beside the proper line.
    if (keyword == "AUTH") add_words(found.auth, rest);
    if (keyword == "XCLIENT") add_words(found.xclient, rest);
    if (keyword == "XFORWARD") add_words(found.xforward, rest);
    if (keyword == "LIMITS") read_limits(found, rest);
}

} // namespace

bool Capabilities::offers(std::string_view keyword) const
{
    return std::any_of(keywords.begin(), keywords.end(),
                       [&](const std::string& line) { return base::same_word(base::cut(line, ' ').before, keyword); });
}

Capabilities parse_ehlo(const Reply& reply, std::string_view discard)
{
    const auto discarded = base::split(discard, " \t\r\n,");
    Capabilities found;
    found.extended = true;
    bool first = true;
    for (std::string_view line : base::split_exact(reply.text, '\n')) {
        line = base::trim(line);
        if (std::exchange(first, false)) {
            found.host = base::cut(line, ' ').before;
            continue;
        }
        const size_t end = line.find_first_of(" \t=");
        std::string keyword = base::upper(line.substr(0, end));
        const std::string_view rest =
            end == std::string_view::npos ? std::string_view() : base::trim(line.substr(end + 1));
        if (keyword.empty() || std::any_of(discarded.begin(), discarded.end(),
                                           [&](std::string_view word) { return base::same_word(word, keyword); }))
            continue;
        read_keyword(found, keyword, rest);
        if (!rest.empty()) keyword.append(" ").append(rest);
        found.keywords.push_back(std::move(keyword));
    }
    return found;
}

} // namespace smtp
