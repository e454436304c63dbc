#include "spool/queue_file.h"

#include "base/checksum.h"
#include "base/fd.h"
#include "base/text.h"

#include <sys/stat.h>

#include <cstring>

namespace spool {
namespace {

constexpr std::string_view magic = "RookQ1\r\n";
constexpr size_t largest_envelope = 64 << 20;
constexpr size_t first_read = 4096;     // holds head and envelope of nearly every message

template <class Number> void put(std::string& out, Number value)
{
    for (size_t i = 0; i < sizeof value; ++i) out += static_cast<char>(static_cast<uint64_t>(value) >> 8 * i & 255);
}

template <class Number> Number get(std::string_view bytes, size_t at)
{
    uint64_t value = 0;
    for (size_t i = 0; i < sizeof(Number); ++i) value |= static_cast<uint64_t>(static_cast<unsigned char>(bytes[at + i])) << 8 * i;
    return static_cast<Number>(value);
}

void put_record(std::string& out, RecordType type, std::string_view payload)
{
    out += static_cast<char>(type);
    put(out, static_cast<uint32_t>(payload.size()));
    out += payload;
}

// Fields of a payload, divided by NUL. NUL in a value cannot be: addresses and texts are checked on their way in, and cut here.
std::string fields(std::initializer_list<std::string_view> values)
{
    std::string out;
    for (auto value : values) {
        if (!out.empty() || value.data() != values.begin()->data()) out += '\0';
        out += value.substr(0, value.find('\0'));
    }
    return out;
}

std::vector<std::string_view> split_fields(std::string_view payload, size_t expected)
{
    auto found = base::split_exact(payload, '\0');
    if (found.size() != expected) throw Damaged("record with a wrong number of fields");
    return found;
}

template <class Number> Number to_number(std::string_view text)
{
    auto value = base::number<Number>(text);
    if (!value) throw Damaged("record with a bad number");
    return *value;
}

void read_record(RecordType type, std::string_view payload, Envelope& envelope)
{
    switch (type) {
    case RecordType::queue_id: envelope.id = split_fields(payload, 1)[0]; return;
    case RecordType::arrival: envelope.arrival = to_number<int64_t>(payload); return;
    case RecordType::sender: envelope.sender = split_fields(payload, 1)[0]; return;
    case RecordType::recipient: {
        auto parts = split_fields(payload, 4);
        Recipient recipient;
        recipient.number = static_cast<uint32_t>(envelope.recipients.size());
        recipient.address = parts[0];
        recipient.original = parts[1];
        recipient.dsn_original = parts[2];
        recipient.notify = to_number<uint32_t>(parts[3]);
        envelope.recipients.push_back(std::move(recipient));
        return;
    }
    case RecordType::attribute: {
        auto pair = base::cut(split_fields(payload, 1)[0], '=');
        if (!pair.found) throw Damaged("attribute without a value");
        envelope.attributes[std::string(pair.before)] = pair.after;
        return;
    }
    default: throw Damaged("envelope record of an unknown type");
    }
}

constexpr size_t journal_overhead = 9;

} // namespace

std::string write_head(const Head& head)
{
    std::string out(magic);
    put(out, head.envelope_size);
    put(out, head.content_length);
    put(out, head.content_flags);
    put(out, head.content_checksum);
    put(out, head.envelope_checksum);
    out.resize(head_size - 4);
    put(out, base::crc32(out));
    return out;
}

Head read_head(std::string_view bytes)
{
    if (bytes.size() < head_size) throw Damaged("shorter than its head");
    if (bytes.substr(0, magic.size()) != magic) throw Damaged("incomplete, or not a queue file");
    if (get<uint32_t>(bytes, head_size - 4) != base::crc32(bytes.substr(0, head_size - 4))) throw Damaged("head is damaged");
    Head head;
    head.envelope_size = get<uint64_t>(bytes, 8);
    head.content_length = get<uint64_t>(bytes, 16);
    head.content_flags = get<uint32_t>(bytes, 24);
    head.content_checksum = get<uint32_t>(bytes, 28);
    head.envelope_checksum = get<uint32_t>(bytes, 32);
    if (head.envelope_size > largest_envelope) throw Damaged("envelope too large");
    if (head.content_length > (uint64_t{1} << 62)) throw Damaged("content too large");
    return head;
}

std::string write_envelope(const Envelope& envelope)
{
    std::string out;
    put_record(out, RecordType::queue_id, envelope.id);
    put_record(out, RecordType::arrival, std::to_string(envelope.arrival));
    put_record(out, RecordType::sender, fields({envelope.sender}));
    for (const auto& [name, value] : envelope.attributes)
        if (!value.empty()) put_record(out, RecordType::attribute, fields({name + "=" + value}));
    for (const auto& recipient : envelope.recipients)
        put_record(out, RecordType::recipient,
                   fields({recipient.address, recipient.original, recipient.dsn_original, std::to_string(recipient.notify)}));
    return out;
}

Envelope read_envelope(std::string_view bytes, const Head& head)
{
    if (bytes.size() != head.envelope_size) throw Damaged("envelope cut off");
    if (base::crc32(bytes) != head.envelope_checksum) throw Damaged("envelope is damaged");
    Envelope envelope;
    while (!bytes.empty()) {
        if (bytes.size() < 5) throw Damaged("envelope record cut off");
        auto type = static_cast<RecordType>(bytes[0]);
        auto length = get<uint32_t>(bytes, 1);
        bytes.remove_prefix(5);
        if (length > bytes.size()) throw Damaged("envelope record cut off");
        read_record(type, bytes.substr(0, length), envelope);
        bytes.remove_prefix(length);
    }
    return envelope;
}

std::string write_event(const Event& event)
{
    std::string payload =
        fields({std::to_string(event.recipient), std::to_string(event.time), event.dsn, event.text, event.remote});
    std::string checked(1, static_cast<char>(event.type));
    checked += payload;
    std::string out(1, static_cast<char>(event.type));
    put(out, static_cast<uint32_t>(payload.size()));
    put(out, base::crc32(checked));
    return out += payload;
}

std::vector<Event> read_journal(std::string_view bytes)
{
    std::vector<Event> events;
    while (bytes.size() >= journal_overhead) {
        auto length = get<uint32_t>(bytes, 1);
        auto checksum = get<uint32_t>(bytes, 5);
        if (length > bytes.size() - journal_overhead) break;
        std::string checked(1, bytes[0]);
        checked += bytes.substr(journal_overhead, length);
        if (base::crc32(checked) != checksum) break;
        auto parts = base::split_exact(bytes.substr(journal_overhead, length), '\0');
        if (parts.size() != 5) break;
        Event event;
        event.type = static_cast<RecordType>(bytes[0]);
        event.recipient = base::number<uint32_t>(parts[0]).value_or(0);
        event.time = base::number<int64_t>(parts[1]).value_or(0);
        event.dsn = parts[2];
        event.text = parts[3];
        event.remote = parts[4];
        events.push_back(std::move(event));
        bytes.remove_prefix(journal_overhead + length);
    }
    return events;
}

namespace {

std::string read_range(int fd, const std::string& name, uint64_t offset, uint64_t length)
{
    std::string bytes(length, '\0');
    bytes.resize(base::pread_some(fd, bytes, static_cast<off_t>(offset), name));
    return bytes;
}

void check_content_sum(int fd, const std::string& name, const Head& head)
{
    uint32_t sum = 0;
    uint64_t at = 0;
    while (at < head.content_length) {
        std::string part = read_range(fd, name, head.content_offset() + at, std::min<uint64_t>(head.content_length - at, 256 << 10));
        if (part.empty()) throw Damaged("content cut off");
        sum = base::crc32(part, sum);
        at += part.size();
    }
    if (sum != head.content_checksum) throw Damaged("content is damaged");
}

} // namespace

StoredMessage read_message(int fd, const std::string& name, bool check_content)
{
    struct stat info;
    if (::fstat(fd, &info) != 0) throw base::SystemError("stat " + name);
    StoredMessage message;
    message.size = static_cast<uint64_t>(info.st_size);
    std::string start = read_range(fd, name, 0, std::min<uint64_t>(message.size, first_read));
    message.head = read_head(start);
    if (message.size < message.head.journal_offset()) throw Damaged("content cut off");
    std::string envelope = message.head.content_offset() <= start.size() ? start.substr(head_size, message.head.envelope_size)
                                                                         : read_range(fd, name, head_size, message.head.envelope_size);
    message.envelope = read_envelope(envelope, message.head);
    if (check_content) check_content_sum(fd, name, message.head);
    if (message.size > message.head.journal_offset())
        message.journal = read_journal(read_range(fd, name, message.head.journal_offset(), message.size - message.head.journal_offset()));
    return message;
}

std::string read_content(int fd, const Head& head, const std::string& name, size_t limit)
{
    return read_range(fd, name, head.content_offset(), std::min<uint64_t>(head.content_length, limit));
}

} // namespace spool
