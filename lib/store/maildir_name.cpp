#include "store/maildir_name.h"

#include "base/text.h"

#include <fmt/format.h>

#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

namespace store {

namespace {

struct Letter {
    char letter;
    Flags flag;
};
constexpr Letter letters[] = {
    {'D', flag::draft}, {'F', flag::flagged}, {'R', flag::answered}, {'S', flag::seen}, {'T', flag::deleted},
};

Flags flag_of(char letter)
{
    if (letter >= 'a' && letter <= 'z') return flag::keyword(static_cast<size_t>(letter - 'a'));
    for (const Letter& known : letters)
        if (known.letter == letter) return known.flag;
    return 0;
}

std::optional<uint64_t> size_field(std::string_view base, std::string_view key)
{
    size_t at = base.find(key);
    if (at == std::string_view::npos) return std::nullopt;
    std::string_view value = base.substr(at + key.size());
    return base::number<uint64_t>(value.substr(0, value.find(',')));
}

// The Maildir paper: '/' and ':' of a host name are written as octal escapes.
std::string host_part()
{
    char name[256] = "";
    ::gethostname(name, sizeof name - 1);
    std::string host;
    for (char c : std::string_view(name)) {
        if (c == '/') host += "\\057";
        else if (c == ':') host += "\\072";
        else if (c == ',' || static_cast<unsigned char>(c) <= ' ') host += '_';
        else host += c;
    }
    return host.empty() ? "localhost" : host;
}

} // namespace

std::string_view maildir_base(std::string_view name) { return name.substr(0, name.find(':')); }

MaildirName parse_maildir_name(std::string_view name)
{
    MaildirName parsed;
    parsed.base = maildir_base(name);
    parsed.size = size_field(parsed.base, ",S=");
    parsed.crlf_size = size_field(parsed.base, ",W=");
    std::string_view info = name.substr(parsed.base.size());
    if (info.substr(0, 3) != ":2,") return parsed;
    info.remove_prefix(3);
    // Dovecot's rule: letters end at a comma, what follows belongs to somebody else.
    size_t comma = std::min(info.find(','), info.size());
    bool known = true;
    for (char c : info.substr(0, comma)) {
        Flags flag = flag_of(c);
        parsed.flags |= flag;
        known = known && flag != 0;
    }
    if (!known || comma < info.size()) parsed.foreign = info;
    return parsed;
}

std::string maildir_info(Flags flags, std::string_view foreign)
{
    size_t comma = std::min(foreign.find(','), foreign.size());
    std::string info;
    for (char c : foreign.substr(0, comma))
        if (!flag_of(c) && info.find(c) == std::string::npos) info += c;
    for (const Letter& known : letters)
        if (flags & known.flag) info += known.letter;
    for (size_t index = 0; index < flag::keyword_limit; ++index)
        if (flags & flag::keyword(index)) info += static_cast<char>('a' + index);
    std::sort(info.begin(), info.end());
    return fmt::format(":2,{}{}", info, foreign.substr(comma));
}

std::string unique_maildir_name()
{
    static const std::string host = host_part();
    static std::atomic<uint64_t> sequence{0};
    timeval now{};
    ::gettimeofday(&now, nullptr);
    return fmt::format("{}.M{}P{}Q{}.{}", static_cast<int64_t>(now.tv_sec), static_cast<int64_t>(now.tv_usec), ::getpid(),
                       ++sequence, host);
}

} // namespace store
