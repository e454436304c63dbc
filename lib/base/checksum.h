// checksum: CRC-32 (zlib's) over records on disk, to notice torn or damaged ones. Not a defence against forgery.
#pragma once

#include <cstdint>
#include <string_view>

namespace base {

uint32_t crc32(std::string_view bytes, uint32_t before = 0);

} // namespace base
