// fuzz: packets between our programs. Each message is unpacked whole and packed to the same again, or it is Malformed.
#include "ipc/packet.h"
#include "spool/messages.h"

#include <fcntl.h>

#include <cstdlib>

namespace {

ipc::Packet make_packet(uint16_t type, std::string_view bytes, size_t descriptors)
{
    ipc::Packet packet;
    packet.type = type;
    packet.bytes = bytes;
    for (size_t i = 0; i < descriptors; ++i) packet.descriptors.push_back(base::open_file("/dev/null", O_RDONLY));
    return packet;
}

template <class Message> void try_one(std::string_view bytes, size_t descriptors)
{
    ipc::Packet packet = make_packet(Message::type, bytes, descriptors);
    try {
        ipc::Packet again = ipc::pack(ipc::unpack<Message>(packet));
        // A bool may come as any byte but zero, so that bytes can differ once; not twice.
        if (again.bytes.size() != bytes.size() || again.descriptors.size() != descriptors) std::abort();
        std::string first = again.bytes;
        if (ipc::pack(ipc::unpack<Message>(again)).bytes != first) std::abort();
    } catch (const ipc::Malformed&) {
    }
}

template <class... Messages> void try_all(std::string_view bytes, size_t descriptors) { (try_one<Messages>(bytes, descriptors), ...); }

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
    if (size == 0) return 0;
    std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
    using namespace spool;
    try_all<Create, Created, Commit, Abandon, OfferPickup, Pickup, PickedUp, Deliver, Done, Command, Answer>(bytes, data[0] % 3);
    return 0;
}
