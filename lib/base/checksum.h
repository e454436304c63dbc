// checksum: CRC-32 (zlib's) over records on disk, to notice torn or damaged ones. Not a defence against forgery.
#pragma once

#include <cstdint>
#include <string_view>

namespace base {

uint32_t crc32(std::string_view bytes, uint32_t before = 0);
// Of two texts one behind the other, from the checksum of each and the length of the second.
uint32_t joined_crc32(uint32_t first, uint32_t second, uint64_t second_length);

} // namespace base
