// maildir_store: a Maildir with its Maildir++ folders: the root is INBOX, ".A.B" is folder A.B.
#pragma once

#include "store/store.h"

#include <string>

namespace store {

class MaildirStore : public Store {
public:
    explicit MaildirStore(Location location);

    char separator() const override { return '.'; }
    std::vector<Folder> list() override;
    bool exists(std::string_view name) override;
    Answer create(std::string_view name) override;
    Answer remove(std::string_view name) override;
    Answer rename(std::string_view from, std::string_view to) override;
    std::vector<std::string> subscriptions() override;
    Answer subscribe(std::string_view name, bool on) override;
    Annotations annotations() override { return Annotations(location_.root + "/rookpost-annotations"); }
    std::unique_ptr<Mailbox> open(std::string_view name, Access access) override;
    std::optional<Status> status(std::string_view name, StatusAlso also) override;
    std::unique_ptr<NewMessage> append(std::string_view name) override;
    std::optional<CopyResult> copy(Mailbox& from, std::span<const uint32_t> uids, std::string_view to) override;

private:
    // The folder on disk; nothing when the name is not good, whether or not it exists.
    std::optional<std::string> path_of(std::string_view name) const;
    // The folder on disk with its cur, new, tmp; nothing when there is none.
    std::optional<std::string> existing(std::string_view name) const;
    std::vector<std::string> names_on_disk() const;
    Answer empty_inbox_into(std::string_view to);

    Location location_;
};

Status status_of(Mailbox& mailbox, StatusAlso also);

} // namespace store
