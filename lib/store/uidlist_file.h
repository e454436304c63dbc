// uidlist_file: a folder's dovecot-uidlist on disk: read piece by piece as it grows, and the giving of new UIDs.
#pragma once

#include "store/folder_lock.h"
#include "store/stamp.h"
#include "store/uidlist.h"

#include <functional>
#include <string>
#include <vector>

namespace store {

class UidListFile {
public:
    // root: the Maildir that the folder belongs to, where the last UIDVALIDITY is kept.
    UidListFile(std::string folder, std::string root);

    bool changed() const;                   // since read()
    struct News {
        bool replaced = false;              // records are all there are, and not only those appended
        std::vector<UidRecord> records;
    };
    News read(bool whole = false);
    // Enough to append: header and last record, at little cost. Only on an object that never read().
    void read_ends();

    uint32_t uid_validity() const { return uid_validity_; }
    uint32_t next_uid() const { return next_uid_; }
    static constexpr uint32_t last_uid = UINT32_MAX - 1;

    FolderLock lock() const { return FolderLock(folder_, "dovecot-uidlist"); }
    // The lock is held and the list was read since. UIDs in the order of bases, durable when it returns. A list that is missing or
    // whose numbers are used up begins anew with another UIDVALIDITY: then the caller must read() again.
    std::vector<uint32_t> assign(const FolderLock&, const std::vector<std::string>& bases);
    // Leaves out records that keep refuses. The lock is held.
    void compress(const FolderLock&, const std::function<bool(const UidRecord&)>& keep);

private:
    UidList load();
    void replace(const UidList& list);

    std::string folder_, root_, path_;
    Stamp stamp_;
    size_t offset_ = 0;             // up to here the file of stamp_.inode was read
    uint32_t uid_validity_ = 0, next_uid_ = 1;
    bool damaged_ = true;
};

// A UIDVALIDITY that no folder below root has had.
uint32_t new_uid_validity(const std::string& root);

} // namespace store
