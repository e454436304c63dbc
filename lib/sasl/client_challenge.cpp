// client_challenge: the mechanisms that prove a password without showing it: CRAM-MD5 and SCRAM.
#include "base/random.h"
#include "base/text.h"
#include "sasl/client_mechanisms.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <fmt/format.h>

namespace sasl {
namespace {

// RFC 5802 5.1 leaves it open; a server must not be able to keep us computing.
constexpr int most_iterations = 1000000;
constexpr size_t longest_challenge = 4096;

std::string hmac(const EVP_MD* digest, std::string_view key, std::string_view text)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (!HMAC(digest, key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
              text.size(), bytes, &size))
        throw BadChallenge("the digest is not to be had");
    return std::string(reinterpret_cast<char*>(bytes), size);
}

std::string hash(const EVP_MD* digest, std::string_view text)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (EVP_Digest(text.data(), text.size(), bytes, &size, digest, nullptr) != 1)
        throw BadChallenge("the digest is not to be had");
    return std::string(reinterpret_cast<char*>(bytes), size);
}

class CramMd5 final : public Client {
public:
    explicit CramMd5(Credentials credentials) : credentials_(std::move(credentials)) {}
    std::optional<Secret> initial() override { return std::nullopt; }
    Secret respond(std::string_view challenge) override
    {
        if (challenge.empty() || std::exchange(answered_, true)) throw BadChallenge("no challenge of CRAM-MD5");
        return Secret(credentials_.user + " " + base::to_hex(hmac(EVP_md5(), credentials_.password.view(), challenge)));
    }

private:
    Credentials credentials_;
    bool answered_ = false;
};

// RFC 5802 5: "r=…,s=…,i=…". Nothing when the attribute is not there.
std::optional<std::string_view> attribute(std::string_view message, char name)
{
    for (auto piece : base::split_exact(message, ','))
        if (piece.size() >= 2 && piece[0] == name && piece[1] == '=') return piece.substr(2);
    return std::nullopt;
}

class Scram final : public Client {
public:
    Scram(const EVP_MD* digest, Credentials credentials) : digest_(digest), credentials_(std::move(credentials)) {}

    std::optional<Secret> initial() override
    {
        std::string name = base::replace_all(base::replace_all(credentials_.user, "=", "=3D"), ",", "=2C");
        nonce_ = base::to_hex(base::random_bytes(16));
        first_bare_ = fmt::format("n={},r={}", name, nonce_);
        return Secret("n,," + first_bare_);
    }

    Secret respond(std::string_view challenge) override
    {
        if (challenge.size() > longest_challenge) throw BadChallenge("the challenge is too long");
        if (nonce_.empty()) return *initial();
        if (server_signature_.empty()) return prove(challenge);
        return check_proof(challenge);
    }
    bool satisfied() const override { return satisfied_; }

private:
    Secret prove(std::string_view challenge)
    {
        auto nonce = attribute(challenge, 'r'), salt_text = attribute(challenge, 's'), count = attribute(challenge, 'i');
        auto salt = salt_text ? base::from_base64(*salt_text) : std::nullopt;
        auto iterations = count ? base::number<int>(*count) : std::nullopt;
        // RFC 5802 5.1: the server's nonce goes on where ours ends.
        if (!nonce || !salt || !iterations || !nonce->starts_with(nonce_) || nonce->size() == nonce_.size())
            throw BadChallenge("no challenge of SCRAM");
        if (*iterations < 1 || *iterations > most_iterations) throw BadChallenge("unreasonable iteration count");
        std::string last = fmt::format("c={},r={}", base::to_base64("n,,"), *nonce);
        std::string signed_text = fmt::format("{},{},{}", first_bare_, challenge, last);
        Secret salted = salted_password(*salt, *iterations);
        Secret client_key(hmac(digest_, salted.view(), "Client Key"));
        std::string proof = hmac(digest_, hash(digest_, client_key.view()), signed_text);
        for (size_t i = 0; i < proof.size(); ++i) proof[i] ^= client_key.view()[i];
        server_signature_ = hmac(digest_, hmac(digest_, salted.view(), "Server Key"), signed_text);
        return Secret(fmt::format("{},p={}", last, base::to_base64(proof)));
    }

    Secret check_proof(std::string_view challenge)
    {
        if (auto error = attribute(challenge, 'e'))
            throw BadChallenge(fmt::format("the server says: {}", base::printable(*error, 100)));
        auto verifier = attribute(challenge, 'v');
        auto signature = verifier ? base::from_base64(*verifier) : std::nullopt;
        if (!signature || !same_secret(*signature, server_signature_))
            throw BadChallenge("the server does not know the password either");
        satisfied_ = true;
        return Secret();
    }

    Secret salted_password(const std::string& salt, int iterations) const
    {
        std::string key(static_cast<size_t>(EVP_MD_get_size(digest_)), '\0');
        auto password = credentials_.password.view();
        if (PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
                              reinterpret_cast<const unsigned char*>(salt.data()), static_cast<int>(salt.size()),
                              iterations, digest_, static_cast<int>(key.size()),
                              reinterpret_cast<unsigned char*>(key.data())) != 1)
            throw BadChallenge("the digest is not to be had");
        return Secret(std::move(key));
    }

    const EVP_MD* digest_;
    Credentials credentials_;
    std::string nonce_, first_bare_, server_signature_;
    bool satisfied_ = false;
};

} // namespace

std::unique_ptr<Client> make_cram_md5(Credentials credentials)
{
    return std::make_unique<CramMd5>(std::move(credentials));
}
std::unique_ptr<Client> make_scram_sha1(Credentials credentials)
{
    return std::make_unique<Scram>(EVP_sha1(), std::move(credentials));
}
std::unique_ptr<Client> make_scram_sha256(Credentials credentials)
{
    return std::make_unique<Scram>(EVP_sha256(), std::move(credentials));
}

} // namespace sasl
