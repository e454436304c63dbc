#include "status.h"

#include "wire.h"

#include "async/lend.h"

#include <fmt/format.h>

#include <algorithm>

namespace imapd {

namespace {

constexpr struct {
    std::string_view name;
    StatusItem item;
} item_names[] = {{"MESSAGES", StatusItem::messages}, {"RECENT", StatusItem::recent},
                  {"UIDNEXT", StatusItem::uid_next},  {"UIDVALIDITY", StatusItem::uid_validity},
                  {"UNSEEN", StatusItem::unseen},     {"DELETED", StatusItem::deleted},
                  {"SIZE", StatusItem::size},         {"HIGHESTMODSEQ", StatusItem::highest_modseq},
                  {"APPENDLIMIT", StatusItem::append_limit}};

StatusItem parse_item(Arguments& arguments)
{
    for (const auto& known : item_names)
        if (arguments.skip_keyword(known.name)) return known.item;
    throw Bad("Unknown STATUS item");
}

uint64_t value(const store::Status& status, StatusItem item)
{
    switch (item) {
    case StatusItem::messages: return status.messages;
    case StatusItem::recent: return status.recent;
    case StatusItem::uid_next: return status.uid_next;
    case StatusItem::uid_validity: return status.uid_validity;
    case StatusItem::unseen: return status.unseen;
    case StatusItem::deleted: return status.deleted;
    case StatusItem::size: return status.size;
    case StatusItem::highest_modseq: return status.highest_modseq;
    case StatusItem::append_limit: break;
    }
    return 0;
}

struct Look {
    std::string name;
    store::StatusAlso also;
    std::optional<store::Status> operator()(Mail& mail) { return mail.store->status(name, also); }
};

} // namespace

std::vector<StatusItem> parse_status_items(Arguments& arguments)
{
    std::vector<StatusItem> items;
    arguments.expect('(');
    while (true) {
        StatusItem item = parse_item(arguments);
        if (std::find(items.begin(), items.end(), item) == items.end()) items.push_back(item);
        if (arguments.skip(')')) return items;
        arguments.space();
    }
}

std::string status_text(const store::Status& status, const std::vector<StatusItem>& items, uint64_t append_limit)
{
    std::string text;
    for (StatusItem item : items) {
        uint64_t number = item == StatusItem::append_limit ? append_limit : value(status, item);
        // RFC 7889 4: NIL says that there is none.
        bool none = item == StatusItem::append_limit && append_limit == 0;
        text += fmt::format("{}{} {}", text.empty() ? "" : " ", item_names[static_cast<size_t>(item)].name,
                            none ? "NIL" : std::to_string(number));
    }
    return "(" + text + ")";
}

async::Task<bool> say_status(Session& session, std::string name, std::vector<StatusItem> items)
{
    auto asks = [&](StatusItem item) { return std::find(items.begin(), items.end(), item) != items.end(); };
    // RFC 7162 3.1: to ask for HIGHESTMODSEQ enables CONDSTORE.
    if (asks(StatusItem::highest_modseq)) session.enable_condstore();
    Look work{name, {asks(StatusItem::size), asks(StatusItem::highest_modseq)}};
    auto status = co_await async::lend(session.mail, std::move(work));
    if (!status) co_return false;
    session.client.say(fmt::format("* STATUS {} {}", session.wire_name(name),
                                   status_text(*status, items, session.settings.message_size_limit)));
    co_await session.client.flush_if_full();
    co_return true;
}

} // namespace imapd
