// intake: the work of Postfix's cleanup, for all who make mail: header completion, checks, and the bytes of the queue file.
// No I/O of its own: it gathers blocks, and write_blocks() (on a thread, by async::offload) puts them into the descriptor that qmgr gave.
//
//   Intake intake(rules, origin, id);  intake.add_recipient(…)…;  intake.add(content)… [take_blocks() when full()];  intake.finish();
#pragma once

#include "spool/queue_file.h"

#include "config/config.h"

#include <optional>
#include <string>
#include <vector>

namespace spool {

// Where a message comes from and how it is to be treated.
struct Origin {
    std::string sender;
    int64_t arrival = 0;                             // microseconds since 1970
    std::map<std::string, std::string> attributes;   // as Envelope::attributes
    std::string received;                            // the whole Received: field, CRLF ended; empty for mail of our own making
    bool complete_headers = false;                   // mail of our own users: add Date, Message-ID, From where they are missing
    std::string from;                                // for a missing From:, already in header form
    std::string prepend;                             // whole fields put on top, such as Delivered-To
    bool utf8 = false;                               // SMTPUTF8
};

// What cannot be taken: the reply to give.
struct Refusal {
    int code = 0;
    std::string dsn, text;
};

// What the content turned out to be, from who read it off the wire.
struct ContentSeen {
    bool has_8bit = false, has_leading_dot = false;
    uint64_t longest_line = 0;
};

struct Block {
    uint64_t offset = 0;
    std::string bytes;
};
// Writes the blocks in order; then, when seal is set, makes all of it durable (fdatasync) before it returns. Throws base::SystemError.
void write_blocks(int fd, const std::vector<Block>& blocks, bool seal, const std::string& name);

class Intake {
public:
    // config must outlive the Intake.
    Intake(const config::Config& config, Origin origin, std::string id);

    void add_recipient(Recipient recipient) { envelope_.recipients.push_back(std::move(recipient)); }
    // All recipients come before the first content. CRLF line ends.
    void add(std::string_view content);
    bool full() const { return pending_.size() >= block_size; }
    std::vector<Block> take_blocks();               // what is ready to be written so far
    // The rest, head included: to be written with seal. Nothing more may be added.
    std::vector<Block> finish(const ContentSeen& seen);

    const std::optional<Refusal>& refusal() const { return refusal_; }
    const std::string& message_id() const { return message_id_; }
    const Envelope& envelope() const { return envelope_; }
    uint64_t content_size() const { return content_length_; }

private:
    static constexpr size_t block_size = 256 << 10;
    void begin_content();
    void end_header(std::string_view header);
    void add_body(std::string_view body);
    void append(std::string_view bytes);
    std::string missing_fields(bool date, bool message_id, bool from);

    const config::Config& config_;
    Origin origin_;
    Envelope envelope_;
    std::string header_;            // gathered until its end is seen
    bool in_header_ = true;
    bool begun_ = false;
    std::string pending_;           // bytes not yet taken, at pending_offset_
    uint64_t pending_offset_ = head_size;
    uint64_t content_length_ = 0;
    Head head_;
    std::string message_id_;
    std::optional<Refusal> refusal_;
};

} // namespace spool
