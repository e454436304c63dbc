#include "dns/wire.h"

#include "base/text.h"

#include <algorithm>

namespace dns::wire {
namespace {

constexpr size_t header_size = 12;
constexpr size_t most_answers = 100;
constexpr size_t longest_name = 255;
constexpr int most_jumps = 64;

// The bytes end before the grammar does.
struct Short {};

class Cursor {
public:
    explicit Cursor(std::string_view bytes) : bytes_(bytes) {}

    uint16_t number16()
    {
        auto part = take(2);
        return static_cast<uint16_t>(static_cast<unsigned char>(part[0]) << 8 | static_cast<unsigned char>(part[1]));
    }
    uint32_t number32()
    {
        uint32_t high = number16();
        return high << 16 | number16();
    }
    std::string_view take(size_t count)
    {
        if (bytes_.size() - at_ < count) throw Short();
        auto part = bytes_.substr(at_, count);
        at_ += count;
        return part;
    }
    size_t at() const { return at_; }
    void go(size_t to) { at_ = to; }

    // RFC 1035 4.1.4. False when the name is well formed but none that a host can have; the cursor is behind it then,
    // too.
    bool name(std::string& into)
    {
        into.clear();
        bool good = true;
        size_t behind = 0;
        for (int jumps = 0;;) {
            auto length = static_cast<unsigned char>(take(1)[0]);
            if (length == 0) break;
            if ((length & 0xc0) == 0xc0) {
                size_t to = static_cast<size_t>(length & 0x3f) << 8 | static_cast<unsigned char>(take(1)[0]);
                if (!behind) behind = at_;
                if (++jumps > most_jumps || to >= bytes_.size()) throw Short();
                at_ = to;
                continue;
            }
            if (length & 0xc0) throw Short();
            auto label = take(length);
            good = good && std::all_of(label.begin(), label.end(),
                                       [](char c) { return base::is_alnum(c) || c == '-' || c == '_'; });
            if (!into.empty()) into += '.';
            into += label;
            if (into.size() > longest_name) throw Short();
        }
        if (behind) at_ = behind;
        return good;
    }

private:
    std::string_view bytes_;
    size_t at_ = 0;
};

std::string join_strings(std::string_view rdata)
{
    std::string text;
    Cursor cursor(rdata);
    while (cursor.at() < rdata.size()) {
        auto length = static_cast<unsigned char>(cursor.take(1)[0]);
        text += cursor.take(length);
    }
    return text;
}

// False when the record is of no use. The cursor stands at the record's data, which ends at `end`.
bool read_data(Cursor& cursor, size_t end, Record& record)
{
    bool good = true;
    switch (record.type) {
    case type_mx: record.preference = cursor.number16(); [[fallthrough]];
    case type_cname:
    case type_ptr:
        good = cursor.name(record.target);
        if (cursor.at() != end) throw Short();
        return good;
    case type_txt: record.data = join_strings(cursor.take(end - cursor.at())); return true;
    case type_a: record.data = cursor.take(end - cursor.at()); return record.data.size() == 4;
    case type_aaaa: record.data = cursor.take(end - cursor.at()); return record.data.size() == 16;
    default: record.data = cursor.take(end - cursor.at()); return true;
    }
}

void read_answers(Cursor& cursor, unsigned count, Message& message)
{
    for (unsigned i = 0; i < count; ++i) {
        Record record;
        bool good = cursor.name(record.owner);
        record.type = cursor.number16();
        cursor.number16();
        record.ttl = cursor.number32();
        if (record.ttl > 0x7fffffff) record.ttl = 0; // RFC 2181 8
        size_t length = cursor.number16(), end = cursor.at() + length;
        // A copy looks ahead, so that data which runs over its length is noticed.
        Cursor inside = cursor;
        cursor.take(length);
        good = read_data(inside, end, record) && good;
        if (good && message.answers.size() < most_answers)
            message.answers.push_back(std::move(record));
        else
            ++message.unusable;
    }
}

void read_authority(Cursor& cursor, unsigned count, Message& message)
{
    std::string ignored;
    for (unsigned i = 0; i < count; ++i) {
        cursor.name(ignored);
        auto type = cursor.number16();
        cursor.number16();
        uint32_t ttl = cursor.number32();
        size_t length = cursor.number16();
        Cursor inside = cursor;
        cursor.take(length);
        if (type != type_soa) continue;
        inside.name(ignored);
        inside.name(ignored);
        inside.take(16);
        // RFC 2308 5: the lesser of the SOA's own TTL and its MINIMUM.
        message.negative_ttl = std::min(ttl, inside.number32());
    }
}

} // namespace

std::optional<Message> parse(std::string_view bytes)
{
    Message message;
    try {
        Cursor cursor(bytes);
        cursor.number16();
        unsigned flags = cursor.number16();
        unsigned questions = cursor.number16(), answers = cursor.number16(), authorities = cursor.number16();
        cursor.go(header_size);
        if (bytes.size() < header_size || !(flags & 0x8000)) return std::nullopt;
        message.rcode = static_cast<int>(flags & 0xf);
        message.authentic = flags & 0x20;
        std::string ignored;
        for (unsigned i = 0; i < questions; ++i) {
            cursor.name(ignored);
            cursor.take(4);
        }
        read_answers(cursor, answers, message);
        read_authority(cursor, authorities, message);
    } catch (const Short&) {
        return std::nullopt;
    }
    return message;
}

} // namespace dns::wire
