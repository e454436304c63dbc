#include "store/mbox_mailbox.h"

#include "store/keyword_file.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace store {

MboxMailbox::MboxMailbox(MboxFile file, std::string side, Access access) : file_(std::move(file)), side_(std::move(side)), access_(access)
{
    refresh();
}

std::optional<Flags> MboxMailbox::keyword(std::string_view name, bool create)
{
    for (size_t i = 0; i < keywords_.size(); ++i)
        if (base::same_word(keywords_[i], name)) return flag::keyword(i);
    if (!create || !good_keyword(name) || keywords_.size() >= flag::keyword_limit) return std::nullopt;
    keywords_.emplace_back(name);
    return flag::keyword(keywords_.size() - 1);
}

Flags MboxMailbox::flags_of(const MboxFile::Entry& entry)
{
    Flags flags = entry.message.flags & flag::system;
    for (const std::string& name : entry.message.keywords) flags |= keyword(name, true).value_or(0);
    if (entry.uid >= first_recent_) flags |= flag::recent;
    return flags;
}

Changes MboxMailbox::refresh()
{
    Changes changes;
    file_.load();
    if (shown_validity_ != file_.uid_validity()) {
        changes.reset = shown_validity_ != 0;
        shown_validity_ = file_.uid_validity();
        first_recent_ = file_.first_recent();
    }
    size_t keywords_before = keywords_.size();
    std::vector<Message> now;
    auto old = messages_.begin();
    for (const MboxFile::Entry& entry : file_.entries()) {
        for (; old != messages_.end() && old->uid < entry.uid; ++old) changes.expunged.push_back(old->uid);
        Message message{entry.uid, flags_of(entry)};
        if (old != messages_.end() && old->uid == entry.uid) {
            message.flags = (message.flags & ~flag::recent) | (old->flags & flag::recent);
            if (message.flags != old->flags) changes.flags.push_back(entry.uid);
            ++old;
        } else {
            // Taken by another session meanwhile: recent to that one.
            if (entry.uid < file_.first_recent() && shown_validity_ != 0 && !messages_.empty()) message.flags &= ~flag::recent;
            changes.added.push_back(entry.uid);
        }
        now.push_back(message);
    }
    for (; old != messages_.end(); ++old) changes.expunged.push_back(old->uid);
    messages_ = std::move(now);
    changes.keywords = keywords_.size() != keywords_before;
    if (access_ == Access::read_write && !changes.added.empty()) file_.take_recent();
    return changes;
}

std::vector<uint32_t> MboxMailbox::set_flags(std::span<const uint32_t> uids, FlagChange change, Flags flags)
{
    flags &= ~flag::recent;
    std::vector<uint32_t> wanted(uids.begin(), uids.end()), changed;
    std::sort(wanted.begin(), wanted.end());
    file_.edit([&](const MboxFile::Entry& entry) -> std::optional<MboxFile::Edit> {
        std::optional<size_t> index = index_of(entry.uid);
        if (!index || !std::binary_search(wanted.begin(), wanted.end(), entry.uid)) return std::nullopt;
        Flags before = flags_of(entry) & ~flag::recent;
        Flags after = change == FlagChange::replace ? flags : change == FlagChange::add ? before | flags : before & ~flags;
        Message& message = messages_[*index];
        Flags shown = after | (message.flags & flag::recent);
        if (message.flags != shown) changed.push_back(entry.uid);
        message.flags = shown;
        if (after == before) return std::nullopt;
        return MboxFile::Edit{false, after, named(after).keywords};
    });
    std::sort(changed.begin(), changed.end());
    return changed;
}

std::optional<Content> MboxMailbox::content(uint32_t uid)
{
    if (!index_of(uid)) return std::nullopt;
    std::optional<std::string> bytes = file_.content(uid);
    if (!bytes) return std::nullopt;
    return Content(std::move(*bytes));
}

std::optional<uint64_t> MboxMailbox::size(uint32_t uid)
{
    const MboxFile::Entry* entry = file_.find(uid);
    if (!entry) return std::nullopt;
    return entry->message.crlf_size;
}

std::optional<std::time_t> MboxMailbox::date(uint32_t uid)
{
    const MboxFile::Entry* entry = file_.find(uid);
    if (!entry) return std::nullopt;
    return entry->message.date;
}

std::vector<uint32_t> MboxMailbox::expunge(std::span<const uint32_t> uids)
{
    std::vector<uint32_t> wanted(uids.begin(), uids.end()), gone;
    std::sort(wanted.begin(), wanted.end());
    file_.edit([&](const MboxFile::Entry& entry) -> std::optional<MboxFile::Edit> {
        if (!index_of(entry.uid) || !std::binary_search(wanted.begin(), wanted.end(), entry.uid)) return std::nullopt;
        return MboxFile::Edit{true, 0, {}};
    });
    std::erase_if(messages_, [&](const Message& message) {
        bool removed = std::binary_search(wanted.begin(), wanted.end(), message.uid);
        if (removed) gone.push_back(message.uid);
        return removed;
    });
    return gone;
}

bool MboxMailbox::lock_for_pop3()
{
    if (!pop3_lock_) pop3_lock_ = try_flock(side_ + "/pop3.lock");
    return pop3_lock_.has_value();
}

} // namespace store
