// random: unpredictable values from the kernel, for tokens, file names and jitter.
#pragma once

#include <cstdint>
#include <string>

namespace base {

std::string random_bytes(size_t count);
std::string random_token(size_t characters);   // [0-9a-zA-Z], about 5.9 bits a character
uint64_t random_below(uint64_t bound);         // 0 … bound-1; bound > 0

} // namespace base
