// fuzz: the records of a queue file. What can be read is read again from what is written of it; all else is Damaged or the journal's end.
#include "base/checksum.h"
#include "spool/queue_file.h"
#include "spool/queue_id.h"

#include <cstdlib>

namespace {

using namespace spool;

void expect(bool fact)
{
    if (!fact) std::abort();
}

void read_as_head(std::string_view bytes)
{
    try {
        Head head = read_head(bytes);
        expect(read_head(write_head(head)).journal_offset() == head.journal_offset());
        read_envelope(bytes.substr(head_size), head);
    } catch (const Damaged&) {
    }
}

// As if somebody had computed the checksum, so that the grammar itself is reached.
void read_as_envelope(std::string_view bytes)
{
    Head head;
    head.envelope_size = bytes.size();
    head.envelope_checksum = base::crc32(bytes);
    try {
        Envelope envelope = read_envelope(bytes, head);
        std::string again = write_envelope(envelope);
        head.envelope_size = again.size();
        head.envelope_checksum = base::crc32(again);
        Envelope other = read_envelope(again, head);
        expect(other.recipients.size() == envelope.recipients.size() && write_envelope(other) == again);
    } catch (const Damaged&) {
    }
}

void read_as_journal(std::string_view bytes)
{
    size_t count = read_journal(bytes).size();
    // Each slice with a right checksum before it.
    std::string checked;
    for (size_t at = 0; at + 1 < bytes.size() && checked.size() < 4096; at += 64) {
        std::string payload(bytes.substr(at, 64));
        auto length = static_cast<uint32_t>(payload.size() - 1);
        uint32_t sum = base::crc32(payload);
        checked += payload[0];
        for (uint32_t number : {length, sum})
            for (int i = 0; i < 4; ++i) checked += static_cast<char>(number >> 8 * i & 255);
        checked += payload.substr(1);
    }
    std::string again;
    auto events = read_journal(checked);
    for (const Event& event : events) again += write_event(event);
    expect(read_journal(again).size() == events.size());
    expect(count <= bytes.size() / 9);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    read_as_head(bytes);
    read_as_envelope(bytes);
    read_as_journal(bytes);
    if (is_queue_id(bytes)) expect(bytes.find_first_of("/.") == std::string_view::npos && bytes.size() <= 40);
    return 0;
}
