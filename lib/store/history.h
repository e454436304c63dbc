// history: when each message of a mailbox changed last, in mod-sequences (RFC 7162), and when it was first seen there (RFC 8514).
// Kept in a file beside the mailbox, to which every session of every process adds what it is the first to see:
//   "RPHIST1\n", UIDVALIDITY, what is forgotten     then records of 24 bytes: UID, state, mod-sequence, first seen, CRC-32
// A mod-sequence is the time in milliseconds, or one more than the last where that is higher: after a power cut that took the end of
// the file, what is noted anew has numbers that nobody was given before.
#pragma once

#include "base/fd.h"

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace store {

class Mailbox;

class History {
public:
    explicit History(std::string path) : path_(std::move(path)) {}

    // Notes what is different in the mailbox now, whoever did it; all that one call notes has one mod-sequence. For after refresh(),
    // set_flags() and expunge(). Where the file cannot be written, this session counts for itself.
    void follow(const Mailbox& box);

    uint64_t highest() const { return highest_; }                   // of all messages, expunged ones too; 1 at least
    uint64_t modseq(uint32_t uid) const;                            // 0: there is no such message
    std::optional<std::time_t> first_seen(uint32_t uid) const;      // unix seconds
    // UIDs expunged after that mod-sequence, ascending. Nothing: it is longer ago than is remembered.
    std::optional<std::vector<uint32_t>> expunged_since(uint64_t modseq) const;

    // While it lives, no other session notes changes, so that nobody can change a message between a look and a STORE of ours unnoticed.
    class Hold {
    public:
        explicit Hold(History& history) : history_(history) { history_.lock(); }
        ~Hold() { history_.lock_.reset(); }
        Hold(const Hold&) = delete;

    private:
        History& history_;
    };

    struct Record {
        uint32_t uid = 0, state = 0;
        uint64_t modseq = 0;
        uint32_t first_seen = 0;
    };
    static constexpr uint32_t gone = UINT32_MAX;                    // a Record's state: expunged

private:
    void lock();
    void read_news(const Mailbox& box);
    void begin_anew(const Mailbox& box);
    void take(std::string_view bytes);
    void apply(const std::vector<Record>& records);
    std::vector<Record> differences(const Mailbox& box) const;
    void write(const std::vector<Record>& records);
    void rewrite();
    const Record* find(uint32_t uid) const;

    struct Expunged {
        uint64_t modseq;
        uint32_t uid;
    };

    std::string path_;
    std::optional<base::Fd> lock_;          // the file, locked
    ino_t inode_ = 0;
    uint64_t read_ = 0;                     // bytes of the file that were of use
    uint32_t uid_validity_ = 0;
    uint64_t forgotten_ = 0;                // expunges up to here are not in expunged_
    uint64_t highest_ = 1;
    std::vector<Record> entries_;           // ascending UIDs
    std::vector<Expunged> expunged_;        // as they happened
    std::vector<uint32_t> known_;           // the mailbox as this session saw it last
    bool followed_ = false;
};

} // namespace store
