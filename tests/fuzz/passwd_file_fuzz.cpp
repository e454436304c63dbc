// passwd_file_fuzz: files of users and stored passwords, as hostile text.
#include "passwd_file.h"
#include "passwords/schemes.h"

#include "base/text.h"

#include <cstdlib>

namespace {

// Costly hashes are checked by the unit tests; here it is the reading that counts.
bool is_cheap(std::string_view scheme)
{
    for (auto name : {"PLAIN", "SSHA", "SSHA512", "SMD5", "SHA", "SHA256", "PLAIN-MD5", "NOSUCH"})
        if (base::same_word(scheme, name)) return true;
    return false;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size)
{
    std::string_view text(reinterpret_cast<const char*>(data), size);
    auto entries = auth::parse_passwd(text, "users");
    for (const auto& [name, user] : entries.users) {
        if (name.empty() || name != user.name || name.find(':') != std::string::npos) std::abort();
        auto stored = passwords::split_stored(user.password);
        if (!is_cheap(stored.scheme)) continue;
        if (passwords::check_password("", user.password) == passwords::Match::yes && stored.hash.empty()) std::abort();
        passwords::check_password("secret", user.password);
    }
    return 0;
}
