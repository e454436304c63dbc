#include "unique_ids.h"

#include "mail/header.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace pop3d {
namespace {

constexpr std::array<std::string_view, 8> variables = {"u", "v", "f", "g", "uid", "uidvalidity", "filename", "guid"};

// RFC 1939 7: 1 to 70 characters between 0x21 and 0x7e.
bool is_unique_id(std::string_view id)
{
    return !id.empty() && id.size() <= 70 && std::all_of(id.begin(), id.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

} // namespace

PercentFormat unique_id_format(std::string_view text) { return PercentFormat(text, variables); }

std::string UniqueIds::read_one(store::Mailbox& inbox, uint32_t uid) const
{
    if (auto kept = inbox.kept_pop3_id(uid); kept && is_unique_id(*kept)) return *kept;
    if (reuse_xuidl) {
        auto content = inbox.content(uid);
        auto given = content ? mail::field_value(content->raw(), "X-UIDL") : std::nullopt;
        if (given && is_unique_id(*given)) return *given;
    }
    auto value = [&](std::string_view name) -> std::string {
        if (name == "u" || name == "uid") return std::to_string(uid);
        if (name == "v" || name == "uidvalidity") return std::to_string(inbox.uid_validity());
        return inbox.file_name(uid);
    };
    std::string id = format.expand(value);
    return is_unique_id(id) ? id : fmt::format("{:08x}{:08x}", uid, inbox.uid_validity());
}

std::vector<std::string> UniqueIds::read(store::Mailbox& inbox, const std::vector<uint32_t>& uids) const
{
    std::vector<std::string> ids;
    ids.reserve(uids.size());
    for (uint32_t uid : uids) ids.push_back(read_one(inbox, uid));
    return ids;
}

} // namespace pop3d
