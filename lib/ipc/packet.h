// packet: typed messages between our own programs. A message is a struct with a number and a list of its fields in order:
//
//     struct Created { static constexpr uint16_t type = 2; std::string id; base::Fd file; template <class V> void fields(V& v) { v(id, file); } };
//
// A packet that does not decode to exactly its fields is a Malformed: the sender is broken or hostile, and the receiver closes.
#pragma once

#include "base/fd.h"

#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

namespace ipc {

inline constexpr size_t largest_packet = 128 << 10;
inline constexpr size_t most_descriptors = 16;

class Malformed : public std::runtime_error {
public:
    explicit Malformed(const std::string& what) : std::runtime_error("malformed message: " + what) {}
};

struct Packet {
    uint16_t type = 0;
    std::string bytes;
    std::vector<base::Fd> descriptors;
};

class Writer {
public:
    explicit Writer(Packet& packet) : packet_(packet) {}
    template <class... Fields> void operator()(Fields&... fields) { (put(fields), ...); }

private:
    template <class Number> void put_number(Number value)
    {
        char raw[sizeof value];
        std::memcpy(raw, &value, sizeof value);
        packet_.bytes.append(raw, sizeof value);
    }
    void put(bool value) { put_number<uint8_t>(value); }
    template <class Number> requires std::is_arithmetic_v<Number> void put(Number value) { put_number(value); }
    template <class Enum> requires std::is_enum_v<Enum> void put(Enum value) { put_number(static_cast<uint32_t>(value)); }
    void put(const std::string& text)
    {
        put_number(static_cast<uint32_t>(text.size()));
        packet_.bytes += text;
    }
    void put(base::Fd& fd)
    {
        put(static_cast<bool>(fd));
        if (fd) packet_.descriptors.push_back(std::move(fd));
    }
    template <class Item> void put(std::vector<Item>& items)
    {
        put_number(static_cast<uint32_t>(items.size()));
        for (auto& item : items) put(item);
    }
    template <class Struct> requires requires(Struct& s, Writer& w) { s.fields(w); } void put(Struct& value) { value.fields(*this); }

    Packet& packet_;
};

class Reader {
public:
    explicit Reader(Packet& packet) : packet_(packet), left_(packet.bytes) {}
    template <class... Fields> void operator()(Fields&... fields) { (get(fields), ...); }
    void end() const
    {
        if (!left_.empty()) throw Malformed("bytes left over");
        if (next_descriptor_ != packet_.descriptors.size()) throw Malformed("descriptors left over");
    }

private:
    std::string_view take(size_t bytes)
    {
        if (left_.size() < bytes) throw Malformed("too short");
        auto part = left_.substr(0, bytes);
        left_.remove_prefix(bytes);
        return part;
    }
    template <class Number> Number get_number()
    {
        Number value;
        std::memcpy(&value, take(sizeof value).data(), sizeof value);
        return value;
    }
    void get(bool& value) { value = get_number<uint8_t>() != 0; }
    template <class Number> requires std::is_arithmetic_v<Number> void get(Number& value) { value = get_number<Number>(); }
    template <class Enum> requires std::is_enum_v<Enum> void get(Enum& value) { value = static_cast<Enum>(get_number<uint32_t>()); }
    void get(std::string& text) { text = take(get_number<uint32_t>()); }
    void get(base::Fd& fd)
    {
        bool present = false;
        get(present);
        if (!present) return;
        if (next_descriptor_ >= packet_.descriptors.size()) throw Malformed("descriptor missing");
        fd = std::move(packet_.descriptors[next_descriptor_++]);
    }
    template <class Item> void get(std::vector<Item>& items)
    {
        auto count = get_number<uint32_t>();
        if (count > left_.size()) throw Malformed("list longer than the message");
        items.clear();
        items.reserve(std::min<size_t>(count, 4096));
        for (uint32_t i = 0; i < count; ++i) get(items.emplace_back());
    }
    template <class Struct> requires requires(Struct& s, Reader& r) { s.fields(r); } void get(Struct& value) { value.fields(*this); }

    Packet& packet_;
    std::string_view left_;
    size_t next_descriptor_ = 0;
};

template <class Message> Packet pack(Message message)
{
    Packet packet;
    packet.type = Message::type;
    Writer writer(packet);
    message.fields(writer);
    return packet;
}

template <class Message> Message unpack(Packet& packet)
{
    if (packet.type != Message::type) throw Malformed("unexpected type " + std::to_string(packet.type));
    Message message;
    Reader reader(packet);
    message.fields(reader);
    reader.end();
    return message;
}

} // namespace ipc
