// mbox_file: an mbox file with the UIDs of its messages. UIDs are kept in a file of their own (fingerprint by fingerprint), so that
// reading mail never rewrites the mailbox; flags are in the Status headers that every mbox program knows.
#pragma once

#include "store/lock.h"
#include "store/mbox_scan.h"
#include "store/stamp.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace store {

class MboxFile {
public:
    // side: the folder for the UID list and the journal. root: the folder where the last UIDVALIDITY is kept.
    MboxFile(std::string path, std::string side, std::string root, LockPolicy locks);

    struct Entry {
        uint32_t uid = 0;
        MboxMessage message;
    };
    bool load();                                            // true when the file was another and entries() may have changed
    const std::vector<Entry>& entries() const { return entries_; }     // ascending UIDs
    const Entry* find(uint32_t uid) const;
    uint32_t uid_validity() const { return uid_validity_; }
    uint32_t uid_next() const { return uid_next_; }
    uint32_t first_recent() const { return first_recent_; }
    void take_recent();                                     // what is there now is recent to us and to nobody after us

    std::optional<std::string> content(uint32_t uid);       // as in the file, without hidden headers

    struct Edit {
        bool remove = false;
        Flags flags = 0;
        std::vector<std::string> keywords;
    };
    // Looks at the file again under the locks; decide(entry) says what becomes of each message (nothing: it stays). On disk when it returns.
    template <class Decide> void edit(Decide decide)
    {
        Session session = open_for_writing();
        if (!session.file) return;
        std::map<uint64_t, Edit> edits;
        for (const Entry& entry : entries_)
            if (std::optional<Edit> wanted = decide(entry)) edits.emplace(entry.message.start, std::move(*wanted));
        apply(session, edits);
    }
    // The UID of the message that starts there.
    uint32_t uid_at(uint64_t start);

    const std::string& path() const { return path_; }

private:
    struct Session {
        std::optional<DotLock> dotlock;
        base::Fd file;
    };
    Session open_for_writing();
    void scan(const base::Fd& file, const Stamp& stamp);
    void number(std::vector<MboxMessage> messages);
    void begin_numbers(const std::vector<MboxMessage>& messages);
    void read_side();
    void write_side() const;
    void apply(Session& session, const std::map<uint64_t, Edit>& edits);

    std::string path_, side_, root_;
    LockPolicy locks_;
    Stamp stamp_;
    bool loaded_ = false;
    uint32_t uid_validity_ = 0, uid_next_ = 1, first_recent_ = 1;
    std::vector<std::pair<uint32_t, uint64_t>> known_;      // UID and fingerprint, as in the side file
    std::vector<Entry> entries_;
};

} // namespace store
