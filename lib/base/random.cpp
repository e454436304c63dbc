#include "base/random.h"

#include "base/error.h"

#include <sys/random.h>

#include <cstring>

namespace base {

std::string random_bytes(size_t count)
{
    std::string bytes(count, '\0');
    size_t have = 0;
    while (have < count) {
        ssize_t got = ::getrandom(bytes.data() + have, count - have, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw SystemError("getrandom");
        have += static_cast<size_t>(got);
    }
    return bytes;
}

uint64_t random_below(uint64_t bound)
{
    uint64_t value;
    std::string bytes = random_bytes(sizeof value);
    std::memcpy(&value, bytes.data(), sizeof value);
    return value % bound;
}

std::string random_token(size_t characters)
{
    static constexpr char alphabet[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    std::string token = random_bytes(characters);
    for (char& c : token) c = alphabet[static_cast<unsigned char>(c) % 62];
    return token;
}

} // namespace base
