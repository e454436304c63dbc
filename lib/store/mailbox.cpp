#include "store/store.h"

#include <algorithm>

namespace store {

std::optional<size_t> Mailbox::index_of(uint32_t uid) const
{
    const std::vector<Message>& all = messages();
    auto found = std::lower_bound(all.begin(), all.end(), uid, [](const Message& message, uint32_t wanted) { return message.uid < wanted; });
    if (found == all.end() || found->uid != uid) return std::nullopt;
    return static_cast<size_t>(found - all.begin());
}

NamedFlags Mailbox::named(Flags flags) const
{
    NamedFlags result{flags & flag::system, {}};
    const std::vector<std::string>& names = keywords();
    for (size_t i = 0; i < names.size(); ++i)
        if ((flags & flag::keyword(i)) && !names[i].empty()) result.keywords.push_back(names[i]);
    return result;
}

History& Mailbox::history()
{
    if (!history_) history_.emplace(history_path());
    return *history_;
}

Notes& Mailbox::notes()
{
    if (!notes_ || notes_->uid_validity() != uid_validity()) {
        notes_ = std::make_unique<Notes>(notes_path(), uid_validity());
        if (access() == Access::read_write) notes_->tidy(messages());
    }
    return *notes_;
}

} // namespace store
