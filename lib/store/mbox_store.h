// mbox_store: a folder of mbox files, and INBOX where the system delivers it.
#pragma once

#include "store/mbox_file.h"
#include "store/store.h"

#include <string>

namespace store {

class MboxStore : public Store {
public:
    MboxStore(Location location, LockPolicy locks);

    char separator() const override { return '/'; }
    std::vector<Folder> list() override;
    bool exists(std::string_view name) override;
    Answer create(std::string_view name) override;
    Answer remove(std::string_view name) override;
    Answer rename(std::string_view from, std::string_view to) override;
    std::vector<std::string> subscriptions() override;
    Answer subscribe(std::string_view name, bool on) override;
    Annotations annotations() override { return Annotations(location_.root + "/.rookpost-annotations"); }
    std::unique_ptr<Mailbox> open(std::string_view name, Access access) override;
    std::optional<Status> status(std::string_view name, StatusAlso also) override;
    std::unique_ptr<NewMessage> append(std::string_view name) override;
    std::optional<CopyResult> copy(Mailbox& from, std::span<const uint32_t> uids, std::string_view to) override;

private:
    struct Place {
        std::string path, side;
    };
    std::optional<Place> place_of(std::string_view name) const;
    MboxFile file_at(const Place& place) const { return MboxFile(place.path, place.side, location_.index, locks_); }

    Location location_;
    LockPolicy locks_;
};

} // namespace store
