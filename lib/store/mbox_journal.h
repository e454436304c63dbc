// mbox_journal: rewrites the end of an mbox file so that a crash in the middle loses nothing: what will be written is on disk
// elsewhere first, and is written again by whoever locks the mailbox next.
#pragma once

#include "base/fd.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace store {

class MboxJournal {
public:
    // path: of the journal. file: the locked mailbox.
    MboxJournal(std::string path, const base::Fd& file, std::string file_name);

    // Ends what a crash left. True when the mailbox was touched.
    bool recover();
    // Replaces everything from offset on by what produce() puts out; durable when it returns.
    void replace_tail(uint64_t offset, const std::function<void(const std::function<void(std::string_view)>& put)>& produce);

private:
    struct Head {
        uint64_t offset, old_size, new_size;
        uint32_t old_crc, new_crc;
    };
    void apply(const base::Fd& journal, const Head& head);
    uint32_t crc_of(uint64_t from, uint64_t to);
    void move_down(uint64_t from, uint64_t to);

    std::string path_;
    const base::Fd& file_;
    std::string name_;
};

} // namespace store
