// password_schemes: does this password belong to that stored one? Dovecot's "{SCHEME}hash", by crypt(3).
#pragma once

#include <string>
#include <string_view>

namespace auth {

enum class Match {
    yes,
    no,
    unusable, // the stored one is of a scheme that nobody here can check, or broken: the administrator's trouble
};

// "{SHA512-CRYPT}$6$…" is SHA512-CRYPT and the rest. Without braces: crypt(3)'s own form. {SCHEME.b64} and {SCHEME.hex}
// are known by their digits, whatever the suffix says.
struct Stored {
    std::string_view scheme, hash;
};
Stored split_stored(std::string_view stored);

// Slow by design (bcrypt, yescrypt: 0.1 s and more): for a thread. An empty or locked ("!…", "*") stored password
// matches nothing.
Match check_password(std::string_view password, std::string_view stored);

} // namespace auth
