// Packets: what was packed is unpacked, and everything else is Malformed.
#include "ipc/packet.h"

#include "base/random.h"
#include "catch.h"

#include <fcntl.h>
#include <unistd.h>

using namespace ipc;

namespace {

enum class Colour : uint32_t { red, green };

struct Inner {
    std::string name;
    uint16_t small = 0;
    template <class V> void fields(V& v) { v(name, small); }
};

struct Everything {
    static constexpr uint16_t type = 7;
    bool yes = false;
    uint8_t byte = 0;
    int64_t large = 0;
    double real = 0;
    Colour colour = Colour::red;
    std::string text;
    std::vector<std::string> words;
    std::vector<Inner> inner;
    base::Fd file, none;
    template <class V> void fields(V& v) { v(yes, byte, large, real, colour, text, words, inner, file, none); }
};

struct Files {
    static constexpr uint16_t type = 8;
    std::vector<base::Fd> files;
    template <class V> void fields(V& v) { v(files); }
};

struct Nothing {
    static constexpr uint16_t type = 9;
    template <class V> void fields(V& v) { v(); }
};

base::Fd some_file() { return base::open_file("/dev/null", O_RDONLY); }

Everything example()
{
    Everything e;
    e.yes = true;
    e.byte = 200;
    e.large = INT64_MIN;
    e.real = -1.5;
    e.colour = Colour::green;
    e.text = std::string("with\0nul\r\n", 10);
    e.words = {"", "a", std::string(1000, 'x')};
    e.inner.resize(2);
    e.inner[1].name = "second";
    e.inner[1].small = 65535;
    e.file = some_file();
    return e;
}

// As it is after a journey: the descriptors are other ones.
Packet copy(const Packet& packet)
{
    Packet other;
    other.type = packet.type;
    other.bytes = packet.bytes;
    for (const auto& fd : packet.descriptors) other.descriptors.push_back(fd.duplicate());
    return other;
}

} // namespace

TEST_CASE("every kind of field comes back", "[ipc]")
{
    Packet packet = pack(example());
    CHECK(packet.type == 7);
    CHECK(packet.descriptors.size() == 1);
    auto e = unpack<Everything>(packet), expected = example();
    CHECK(e.yes);
    CHECK(e.byte == expected.byte);
    CHECK(e.large == expected.large);
    CHECK(e.real == expected.real);
    CHECK(e.colour == Colour::green);
    CHECK(e.text == expected.text);
    CHECK(e.words == expected.words);
    REQUIRE(e.inner.size() == 2);
    CHECK(e.inner[0].name.empty());
    CHECK(e.inner[1].name == "second");
    CHECK(e.inner[1].small == 65535);
    CHECK(e.file);
    CHECK_FALSE(e.none);
    Packet empty = pack(Nothing{});
    CHECK(empty.bytes.empty());
    unpack<Nothing>(empty);
}

TEST_CASE("a packet that is cut anywhere is malformed", "[ipc]")
{
    Packet whole = pack(example());
    for (size_t size = 0; size < whole.bytes.size(); ++size) {
        CAPTURE(size);
        Packet cut = copy(whole);
        cut.bytes.resize(size);
        CHECK_THROWS_AS(unpack<Everything>(cut), Malformed);
    }
}

TEST_CASE("what is left over is malformed", "[ipc]")
{
    Packet longer = pack(example());
    longer.bytes += '\0';
    CHECK_THROWS_AS(unpack<Everything>(longer), Malformed);
    Packet one_more = pack(example());
    one_more.descriptors.push_back(some_file());
    CHECK_THROWS_AS(unpack<Everything>(one_more), Malformed);
    Packet missing = pack(example());
    missing.descriptors.clear();
    CHECK_THROWS_AS(unpack<Everything>(missing), Malformed);
    Packet other_type = pack(example());
    other_type.type = 8;
    CHECK_THROWS_AS(unpack<Everything>(other_type), Malformed);
    Packet nothing = pack(Nothing{});
    nothing.descriptors.push_back(some_file());
    CHECK_THROWS_AS(unpack<Nothing>(nothing), Malformed);
}

TEST_CASE("lengths that lie reserve no memory", "[ipc]")
{
    for (uint32_t lie : {uint32_t{5}, uint32_t{1} << 20, UINT32_MAX}) {
        Packet packet;
        packet.type = Files::type;
        packet.bytes.assign(reinterpret_cast<const char*>(&lie), sizeof lie);
        CHECK_THROWS_AS(unpack<Files>(packet), Malformed);
        packet.bytes.append(4, '\1');
        CHECK_THROWS_AS(unpack<Files>(packet), Malformed);
    }
}

TEST_CASE("descriptors keep their order", "[ipc]")
{
    Files files;
    std::vector<int> numbers;
    for (int i = 0; i < 5; ++i) {
        if (i == 2) {
            files.files.emplace_back();
            numbers.push_back(-1);
        } else {
            files.files.push_back(some_file());
            numbers.push_back(files.files.back().get());
        }
    }
    Packet packet = pack(std::move(files));
    CHECK(packet.descriptors.size() == 4);
    auto back = unpack<Files>(packet);
    REQUIRE(back.files.size() == 5);
    for (size_t i = 0; i < 5; ++i) CHECK(back.files[i].get() == numbers[i]);
}

TEST_CASE("a damaged packet is unpacked or malformed, and no descriptor is lost", "[ipc]")
{
    Packet whole = pack(example());
    for (size_t at = 0; at < whole.bytes.size(); ++at)
        for (int change : {1, 0x80, 0xff}) {
            Packet other = copy(whole);
            other.bytes[at] = static_cast<char>(other.bytes[at] ^ change);
            try {
                unpack<Everything>(other);
            } catch (const Malformed&) {
            }
        }
    for (int i = 0; i < 2000; ++i) {
        Packet noise;
        noise.type = Everything::type;
        noise.bytes = base::random_bytes(base::random_below(100));
        try {
            unpack<Everything>(noise);
        } catch (const Malformed&) {
        }
    }
    int lowest = some_file().get();
    CHECK(lowest < 20);
}
