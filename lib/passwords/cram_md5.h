// cram_md5: the key of HMAC-MD5 as Dovecot stores it: the states of MD5 after the outer and the inner pad, from which the
// password can't be read, but CRAM-MD5 (RFC 2195) can be answered.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace passwords {

class CramMd5Key {
public:
    static CramMd5Key of_password(std::string_view password);
    static std::optional<CramMd5Key> parse(std::string_view hex); // 64 hexadecimal digits
    std::string text() const;

    std::string answer(std::string_view challenge) const; // HMAC-MD5 in lower-case hexadecimal digits

private:
    using State = std::array<uint32_t, 4>;
    State outer_{}, inner_{};
};

} // namespace passwords
