#include "base/checksum.h"

#include <zlib.h>

namespace base {

uint32_t crc32(std::string_view bytes, uint32_t before)
{
    if (bytes.empty()) return before;       // zlib takes a null pointer for the question how to begin
    return static_cast<uint32_t>(::crc32_z(before, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

uint32_t joined_crc32(uint32_t first, uint32_t second, uint64_t second_length)
{
    return static_cast<uint32_t>(::crc32_combine(first, second, static_cast<z_off_t>(second_length)));
}

} // namespace base
