#include "sasl/secret.h"

#include <cstring>

namespace sasl {

void wipe(std::string& text)
{
    ::explicit_bzero(text.data(), text.capacity());
    text.clear();
}

bool same_secret(std::string_view a, std::string_view b)
{
    if (a.size() != b.size()) return false;
    volatile unsigned char difference = 0;
    for (size_t i = 0; i < a.size(); ++i) difference = difference | static_cast<unsigned char>(a[i] ^ b[i]);
    return difference == 0;
}

Secret::Secret(Secret&& other) noexcept : text_(std::move(other.text_))
{
    wipe(other.text_); // a short string is copied, not moved
}

Secret& Secret::operator=(Secret&& other) noexcept
{
    if (this == &other) return *this;
    wipe(text_);
    text_ = std::move(other.text_);
    wipe(other.text_);
    return *this;
}

} // namespace sasl
