#define OPENSSL_SUPPRESS_DEPRECATED // only the old interface shows MD5's state
#include "passwords/cram_md5.h"

#include "base/text.h"

#include <openssl/crypto.h>
#include <openssl/md5.h>

namespace passwords {
namespace {

constexpr size_t block_size = 64;

MD5_CTX resume(const std::array<uint32_t, 4>& state)
{
    MD5_CTX context;
    MD5_Init(&context);
    context.A = state[0];
    context.B = state[1];
    context.C = state[2];
    context.D = state[3];
    context.Nl = block_size * 8;
    return context;
}

std::array<uint32_t, 4> after_pad(std::string_view key, unsigned char pad)
{
    unsigned char block[block_size];
    for (size_t i = 0; i < block_size; ++i)
        block[i] = static_cast<unsigned char>((i < key.size() ? key[i] : 0) ^ pad);
    MD5_CTX context;
    MD5_Init(&context);
    MD5_Update(&context, block, sizeof block);
    OPENSSL_cleanse(block, sizeof block);
    return {context.A, context.B, context.C, context.D};
}

std::string digest(MD5_CTX& context)
{
    unsigned char made[MD5_DIGEST_LENGTH];
    MD5_Final(made, &context);
    return std::string(reinterpret_cast<char*>(made), sizeof made);
}

void append_words(std::string& bytes, const std::array<uint32_t, 4>& words)
{
    for (uint32_t word : words)
        for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(word >> shift & 0xff);
}

} // namespace

CramMd5Key CramMd5Key::of_password(std::string_view password)
{
    std::string key(password);
    if (key.size() > block_size) {
        MD5_CTX context;
        MD5_Init(&context);
        MD5_Update(&context, key.data(), key.size());
        key = digest(context);
    }
    CramMd5Key made;
    made.outer_ = after_pad(key, 0x5c);
    made.inner_ = after_pad(key, 0x36);
    OPENSSL_cleanse(key.data(), key.size());
    return made;
}

std::optional<CramMd5Key> CramMd5Key::parse(std::string_view hex)
{
    auto bytes = base::from_hex(hex);
    if (!bytes || bytes->size() != 32) return std::nullopt;
    CramMd5Key key;
    for (size_t i = 0; i < 32; ++i) {
        State& state = i < 16 ? key.outer_ : key.inner_;
        state[i % 16 / 4] |= static_cast<uint32_t>(static_cast<unsigned char>((*bytes)[i])) << i % 4 * 8;
    }
    return key;
}

std::string CramMd5Key::text() const
{
    std::string bytes;
    append_words(bytes, outer_);
    append_words(bytes, inner_);
    return base::to_hex(bytes);
}

std::string CramMd5Key::answer(std::string_view challenge) const
{
    MD5_CTX inner = resume(inner_);
    MD5_Update(&inner, challenge.data(), challenge.size());
    std::string middle = digest(inner);
    MD5_CTX outer = resume(outer_);
    MD5_Update(&outer, middle.data(), middle.size());
    return base::to_hex(digest(outer));
}

} // namespace passwords
