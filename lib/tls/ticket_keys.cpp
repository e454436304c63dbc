#include "tls/ticket_keys.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/random.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cstring>

namespace tls {
namespace {

constexpr size_t secret_size = 64;
constexpr int64_t secret_lifetime = 24 * 3600;

std::string fresh_secret(const std::string& path)
{
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode) || (info.st_mode & 077) != 0) return {};
    if (base::unix_seconds(base::wall_now()) - info.st_mtime > secret_lifetime) return {};
    std::string secret = base::read_file(path, 4096);
    return secret.size() == secret_size ? secret : std::string();
}

} // namespace

std::string shared_ticket_secret(const std::string& path)
{
    // The processes of a service start at the same moment: one makes it, the others wait.
    base::Fd lock = base::open_file(path + ".lock", O_RDWR | O_CREAT, 0600);
    if (::flock(lock.get(), LOCK_EX) != 0) throw base::SystemError("lock " + path);
    std::string secret = fresh_secret(path);
    if (!secret.empty()) return secret;
    secret = base::random_bytes(secret_size);
    base::replace_file(path, secret, 0600);
    return secret;
}

TicketKeys::TicketKeys(std::string secret) : secret_(std::move(secret))
{
    if (secret_.empty()) secret_ = base::random_bytes(secret_size);
}

TicketKeys::~TicketKeys() { OPENSSL_cleanse(secret_.data(), secret_.size()); }

TicketKey TicketKeys::for_hour(int64_t hour) const
{
    std::string label = "rookpost ticket key " + std::to_string(hour);
    unsigned char bytes[EVP_MAX_MD_SIZE];
    auto derive = [&](const char* part) {
        std::string text = label + part;
        unsigned size = 0;
        HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()),
             reinterpret_cast<const unsigned char*>(text.data()), text.size(), bytes, &size);
    };
    TicketKey key;
    derive(" name");
    std::memcpy(key.name.data(), bytes, key.name.size());
    derive(" cipher");
    std::memcpy(key.cipher.data(), bytes, key.cipher.size());
    derive(" mac");
    std::memcpy(key.mac.data(), bytes, key.mac.size());
    OPENSSL_cleanse(bytes, sizeof bytes);
    return key;
}

std::optional<TicketKey> TicketKeys::named(std::string_view name, int64_t hour, int hours) const
{
    for (int64_t candidate = hour + 1; candidate >= hour - hours; --candidate) {
        TicketKey key = for_hour(candidate);
        if (name.size() == key.name.size() && std::memcmp(name.data(), key.name.data(), name.size()) == 0) return key;
    }
    return std::nullopt;
}

} // namespace tls
