#include "base/checksum.h"

#include <zlib.h>

namespace base {

uint32_t crc32(std::string_view bytes, uint32_t before)
{
    return static_cast<uint32_t>(::crc32_z(before, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

} // namespace base
