// maildir_writer: puts one message into a Maildir folder so that it is there whole and on disk, or not at all.
#pragma once

#include "store/line_ends.h"
#include "base/fd.h"

#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace store {

// Creates folder and its cur, new, tmp where they are missing.
void make_maildir(const std::string& folder, mode_t mode = 0700);

// One message: write() its pieces, then commit(). Without commit nothing remains. Throws base::SystemError.
// For two folders of one file system the finished file may be linked: see publish().
class MaildirWriter {
public:
    explicit MaildirWriter(std::string folder, mode_t file_mode = 0600);
    ~MaildirWriter();
    MaildirWriter(const MaildirWriter&) = delete;
    MaildirWriter& operator=(const MaildirWriter&) = delete;

    void write(std::string_view chunk);         // CRLF (or LF) ends, cut anywhere
    // Delivery: on disk, in new/, and the folder synced. Gives the name of the file (without folder).
    std::string commit();

    // The same in two steps. finish() makes the file durable and gives its name with sizes; date becomes its mtime.
    std::string finish(std::optional<std::time_t> date = {});
    // Renames the finished file to subfolder ("new" or "cur") / name and syncs that subfolder.
    void publish(const std::string& subfolder, const std::string& name);

    uint64_t size() const { return written_ + buffer_.size(); }
    uint64_t crlf_size() const { return crlf_.size(); }

private:
    void flush();

    std::string folder_, unique_, temporary_;
    base::Fd file_;
    LfFilter filter_;
    CrlfCounter crlf_;
    std::string buffer_;
    uint64_t written_ = 0;
    bool pending_ = true;       // the temporary file exists
};

} // namespace store
