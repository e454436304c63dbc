// mbox_writer: appends one message to an mbox file under the locks others use, whole or not at all.
#pragma once

#include "store/line_ends.h"
#include "store/lock.h"
#include "base/fd.h"

#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace store {

struct MboxPolicy {
    LockPolicy lock;
    uint64_t size_limit = 0;                // mailbox_size_limit; 0: none
    std::optional<uid_t> owner;             // strict_mailbox_ownership: who must own the file
    bool special_files = false;             // aliases to /dev/null and the like
    mode_t create_mode = 0600;
};

// Opens and locks in the constructor; write() the pieces, then commit(). Without commit the file gets its old length back.
// Throws Trouble (locked, too_large, not_owner, unsafe) and base::SystemError.
class MboxWriter {
public:
    // sender: for the "From " line; empty: MAILER-DAEMON.
    MboxWriter(std::string path, const std::string& sender, MboxPolicy policy, std::time_t date = std::time(nullptr));
    ~MboxWriter();
    MboxWriter(const MboxWriter&) = delete;
    MboxWriter& operator=(const MboxWriter&) = delete;

    void write(std::string_view chunk);     // CRLF (or LF) ends, cut anywhere; lines "From " are quoted as ">From "
    void commit();                          // durable when it returns

    uint64_t message_start() const { return message_start_; }     // where the "From " line is

private:
    void quote(std::string_view text);
    void flush();
    void check_size(uint64_t more) const;

    std::string path_;
    MboxPolicy policy_;
    std::optional<DotLock> dotlock_;
    base::Fd file_;
    bool regular_ = true, committed_ = false, created_ = false;
    off_t start_ = 0;
    uint64_t written_ = 0, message_start_ = 0;
    LfFilter filter_;
    std::string filtered_, line_start_, buffer_;
    bool at_line_start_ = true;
};

// "From sender  Sun Nov 22 20:50:19 2026\n", as Postfix writes it.
std::string from_line(const std::string& sender, std::time_t date);

// Opens a mailbox that others could have prepared as a trap: no symbolic link (but root's), one hard link, a regular file, the same
// file before and after. missing: gives an empty Fd unless O_CREAT is in flags.
base::Fd open_mailbox_file(const std::string& path, int flags, const MboxPolicy& policy, bool* created = nullptr);

} // namespace store
