// maildir_mailbox: one opened Maildir folder. UIDs come from dovecot-uidlist, flags from the file names, nothing else is kept.
// What would take a look into each file is in Notes.
#pragma once

#include "store/keyword_file.h"
#include "store/store.h"
#include "store/uidlist_file.h"

#include <string>
#include <unordered_map>
#include <vector>

namespace store {

class MaildirMailbox : public Mailbox {
public:
    MaildirMailbox(std::string folder, std::string root, Access access);

    Access access() const override { return access_; }
    uint32_t uid_validity() const override { return uid_validity_; }
    uint32_t uid_next() const override { return list_.next_uid(); }
    const std::vector<Message>& messages() const override { return messages_; }
    const std::vector<std::string>& keywords() const override { return keywords_.names(); }
    Changes refresh() override;
    bool reopen() override;
    std::optional<Flags> keyword(std::string_view name, bool create) override;
    std::vector<uint32_t> set_flags(std::span<const uint32_t> uids, FlagChange change, Flags flags) override;
    std::optional<Content> content(uint32_t uid) override;
    std::optional<uint64_t> size(uint32_t uid) override;
    std::optional<uint64_t> quick_size(uint32_t uid) override;
    std::optional<std::time_t> date(uint32_t uid) override;
    std::vector<uint32_t> expunge(std::span<const uint32_t> uids) override;
    std::optional<std::string> kept_pop3_id(uint32_t uid) override;
    std::string file_name(uint32_t uid) override;
    bool lock_for_pop3() override;
    std::vector<std::string> watch_paths() const override { return {folder_ + "/new", folder_ + "/cur"}; }

    std::string history_path() const override { return folder_ + "/rookpost-history"; }
    std::string notes_path() const override { return folder_ + "/rookpost-notes"; }

    // For copies: a second name for the file; 0, ENOENT (the message is gone), or why it can't be linked. sizes: ",S=1,W=2" of its name.
    int link_to(uint32_t uid, const std::string& path, std::string& sizes);

private:
    struct File {
        std::string name;           // with ":2,…"
        bool is_new = false;        // lies in new/
    };
    struct Scan {
        std::vector<File> files;
        Stamp new_stamp, cur_stamp;
        bool quiet = false;         // nothing moved while we looked
    };

    std::string path_of(const File& file) const;
    Scan scan() const;
    Scan match(std::vector<File>& fresh, Changes& changes);
    void resolve(std::vector<File> fresh, Changes& changes);
    void take_news(std::vector<File>& fresh, Changes& changes);
    void claim(std::vector<File>& fresh, Changes& changes);
    void add(File file, uint32_t uid, Changes& changes);
    void drop(const std::vector<char>& gone, Changes& changes, std::vector<File>* files = nullptr);
    void sort_messages();
    void take_from_new();
    bool relocate(const std::vector<size_t>& indexes);
    bool change_one(size_t index, FlagChange change, Flags flags, std::vector<uint32_t>& changed);
    template <class Act> int with_file(size_t index, Act act);
    void compress_list();
    void remove_old_temporaries() const;

    std::string folder_, root_;
    Access access_;
    UidListFile list_;
    KeywordFile keywords_;
    Stamp new_stamp_, cur_stamp_;
    uint32_t uid_validity_ = 0;
    uint32_t highest_ = 0;                                  // no message below it may appear any more
    std::vector<Message> messages_;
    std::vector<File> files_;                               // one for each of messages_
    std::unordered_map<std::string, uint32_t> unclaimed_;   // records of the list whose file we have not seen
    std::optional<std::unordered_map<std::string, std::string>> pop3_ids_;
    std::optional<base::Fd> pop3_lock_;
};

} // namespace store
