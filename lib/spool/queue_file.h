// queue_file: the one file of a message, as bytes. Grammar only; who opens and syncs is somebody else.
//
//   head (64 bytes)   magic, sizes, flags, checksums; written last of all, with the rest or after it. Its own checksum makes it valid.
//   envelope          records: sender, recipients, where it came from
//   content           headers and body, CRLF line ends
//   journal           records appended later: what happened to each recipient, when to try again
//
// A record is: type (1 byte), length (4 bytes, little endian), in the journal CRC-32 of type and payload (4 bytes), payload.
// A file whose head is not valid is incomplete: nobody has been told that it was accepted. A torn last journal record is as if
// it had not been written: what it said happens again.
#pragma once

#include "spool/messages.h"

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace spool {

inline constexpr size_t head_size = 64;

// The file is not what it should be: cut off, altered, or not ours.
class Damaged : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// The letters on disk. Never give one twice, never reuse one.
enum class RecordType : char {
    queue_id = 'I',
    arrival = 'T',
    sender = 'S',
    recipient = 'R',
    attribute = 'A',
    // journal
    delivered = 'd',
    deferred = 'f',
    next_attempt = 'n',
    forced_expiry = 'e',
    delay_told = 'w',
};

// What is known of a message beside its content. Attribute names are those of the policy protocol where it has one: client_name,
// client_address, helo_name, protocol_name, sasl_username, sasl_method, envid, ret, uid, message_id.
struct Envelope {
    std::string id;
    int64_t arrival = 0;                          // microseconds since 1970
    std::string sender;
    std::vector<Recipient> recipients;            // numbers are their places
    std::map<std::string, std::string> attributes;

    std::string attribute(const std::string& name) const
    {
        auto found = attributes.find(name);
        return found == attributes.end() ? std::string() : found->second;
    }
};

struct Head {
    uint64_t envelope_size = 0;
    uint64_t content_length = 0;
    uint32_t content_flags = 0;
    uint32_t content_checksum = 0;
    uint32_t envelope_checksum = 0;

    uint64_t content_offset() const { return head_size + envelope_size; }
    uint64_t journal_offset() const { return content_offset() + content_length; }
};

std::string write_head(const Head& head);
Head read_head(std::string_view bytes);                              // throws Damaged
std::string write_envelope(const Envelope& envelope);
Envelope read_envelope(std::string_view bytes, const Head& head);    // throws Damaged

// One line of a message's history.
struct Event {
    RecordType type = RecordType::deferred;
    uint32_t recipient = 0;
    int64_t time = 0;           // seconds since 1970; of next_attempt: when
    std::string dsn, text, remote;
};
std::string write_event(const Event& event);
// All whole records from the start of bytes; stops without complaint at the first torn or damaged one.
std::vector<Event> read_journal(std::string_view bytes);

// A message as it lies on disk, content excepted.
struct StoredMessage {
    Head head;
    Envelope envelope;
    std::vector<Event> journal;
    uint64_t size = 0;          // of the file
};
// Throws Damaged, base::SystemError. check_content also reads the content and compares its checksum.
StoredMessage read_message(int fd, const std::string& name, bool check_content = false);
std::string read_content(int fd, const Head& head, const std::string& name, size_t limit = SIZE_MAX);

} // namespace spool
