// mbox_mailbox: one opened mbox file.
#pragma once

#include "store/mbox_file.h"
#include "store/store.h"

#include <string>
#include <vector>

namespace store {

class MboxMailbox : public Mailbox {
public:
    MboxMailbox(MboxFile file, std::string side, Access access);

    Access access() const override { return access_; }
    uint32_t uid_validity() const override { return file_.uid_validity(); }
    uint32_t uid_next() const override { return file_.uid_next(); }
    const std::vector<Message>& messages() const override { return messages_; }
    const std::vector<std::string>& keywords() const override { return keywords_; }
    Changes refresh() override;
    std::optional<Flags> keyword(std::string_view name, bool create) override;
    std::vector<uint32_t> set_flags(std::span<const uint32_t> uids, FlagChange change, Flags flags) override;
    std::optional<Content> content(uint32_t uid) override;
    std::optional<uint64_t> size(uint32_t uid) override;
    std::optional<uint64_t> quick_size(uint32_t uid) override { return size(uid); }
    std::optional<std::time_t> date(uint32_t uid) override;
    std::vector<uint32_t> expunge(std::span<const uint32_t> uids) override;
    std::optional<std::string> kept_pop3_id(uint32_t) override { return std::nullopt; }
    std::string file_name(uint32_t) override { return {}; }
    bool lock_for_pop3() override;
    std::vector<std::string> watch_paths() const override { return {file_.path()}; }
    std::string history_path() const override { return side_ + "/history"; }
    std::string notes_path() const override { return side_ + "/notes"; }

private:
    Flags flags_of(const MboxFile::Entry& entry);

    MboxFile file_;
    std::string side_;
    Access access_;
    uint32_t first_recent_ = 1;             // as it was when we took what is new
    std::vector<Message> messages_;
    std::vector<std::string> keywords_;     // letters of this session only: the file has names
    std::optional<base::Fd> pop3_lock_;
    uint32_t shown_validity_ = 0;
};

} // namespace store
