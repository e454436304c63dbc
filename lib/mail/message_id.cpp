// message_id: see the header.
#include "mail/message_id.h"

#include "base/text.h"
#include "mail/date.h"

#include <fmt/format.h>

namespace mail {

std::string make_message_id(base::Wall when, std::string_view queue_id, std::string_view host)
{
    const int64_t seconds = base::unix_seconds(when), day = day_of({seconds, 0}), second = seconds - day * 86400;
    const CivilDay civil = civil_from_days(day);
    return fmt::format("<{:04}{:02}{:02}{:02}{:02}{:02}.{}@{}>", civil.year, civil.month, civil.day, second / 3600,
                       second / 60 % 60, second % 60, queue_id, host);
}

std::vector<std::string> parse_message_ids(std::string_view value, size_t limit)
{
    std::vector<std::string> found;
    size_t at = 0;
    while (found.size() < limit) {
        const size_t open = value.find_first_of("<(\"", at);
        if (open == std::string_view::npos) break;
        const char close = value[open] == '<' ? '>' : value[open] == '(' ? ')' : '"';
        const size_t end = value.find(close, open + 1);
        if (end == std::string_view::npos) break;
        at = end + 1;
        if (close != '>') continue;
        std::string id = "<";
        for (char c : value.substr(open + 1, end - open - 1))
            if (!base::is_space(c) && c != '<' && c != '\0') id.push_back(c);
        if (id.size() > 1) found.push_back(id + ">");
    }
    return found;
}

} // namespace mail
