#include "tls/key_chain.h"

#include "tls/error.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <cstring>

namespace tls {
namespace {

struct Reader {
    explicit Reader(const std::string& name) : name(name) {}

    void take(KeyHandle key)
    {
        if (nothing_yet()) keys_first = true;
        if (keys_first) finish();
        if (current.key) throw Failed(name + ": two private keys without a certificate between them");
        current.key = std::move(key);
        if (!keys_first) finish();
    }
    void take(CertificateHandle certificate) { current.certificates.push_back(std::move(certificate)); }
    void finish()
    {
        if (!current.key && current.certificates.empty()) return;
        if (!current.key) throw Failed(name + ": no private key for the certificate");
        if (current.certificates.empty()) throw Failed(name + ": no certificate for the private key");
        chains.push_back(std::exchange(current, KeyChain()));
    }
    bool nothing_yet() const { return chains.empty() && !current.key && current.certificates.empty(); }

    const std::string& name;
    std::vector<KeyChain> chains;
    KeyChain current;
    bool keys_first = false;
};

struct PemPiece {
    char* label = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    ~PemPiece()
    {
        OPENSSL_free(label);
        OPENSSL_free(header);
        OPENSSL_clear_free(data, static_cast<size_t>(size));
    }
};

KeyHandle decode_key(PemPiece& piece, const std::string& name)
{
    EVP_CIPHER_INFO cipher;
    bool locked =
        std::strstr(piece.label, "ENCRYPTED") || (PEM_get_EVP_CIPHER_INFO(piece.header, &cipher) && cipher.cipher);
    if (locked) throw Failed(name + ": the private key is locked by a password; expected one without");
    const unsigned char* at = piece.data;
    KeyHandle key(d2i_AutoPrivateKey(nullptr, &at, piece.size));
    if (!key) throw Failed(name + ": bad private key: " + openssl_reasons());
    return key;
}

bool is(const PemPiece& piece, std::initializer_list<const char*> labels)
{
    for (auto label : labels)
        if (std::strcmp(piece.label, label) == 0) return true;
    return false;
}

template <class Holder>
bool use_in(Holder* holder, const KeyChain& chain, int (*set)(Holder*, X509*, EVP_PKEY*, STACK_OF(X509) *, int))
{
    STACK_OF(X509)* rest = sk_X509_new_null();
    for (size_t i = 1; i < chain.certificates.size(); ++i) sk_X509_push(rest, chain.certificates[i].get());
    bool done = set(holder, chain.certificates.front().get(), chain.key.get(), rest, 1) == 1;
    sk_X509_free(rest);
    return done;
}

} // namespace

std::vector<KeyChain> read_key_chains(std::string_view pem, const std::string& name)
{
    ERR_clear_error();
    BioHandle bio = bio_over(pem);
    Reader reader(name);
    while (true) {
        PemPiece piece;
        if (!PEM_read_bio(bio.get(), &piece.label, &piece.header, &piece.data, &piece.size)) break;
        if (std::strstr(piece.label, "PRIVATE KEY")) {
            reader.take(decode_key(piece, name));
        } else if (is(piece, {PEM_STRING_X509, PEM_STRING_X509_OLD, PEM_STRING_X509_TRUSTED})) {
            const unsigned char* at = piece.data;
            CertificateHandle certificate(d2i_X509_AUX(nullptr, &at, piece.size));
            if (!certificate) throw Failed(name + ": bad certificate: " + openssl_reasons());
            reader.take(std::move(certificate));
        }
    }
    bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (!at_end) throw Failed(name + ": bad PEM: " + openssl_reasons());
    ERR_clear_error();
    reader.finish();
    if (reader.chains.empty()) throw Failed(name + ": no private key and certificate found; expected them in PEM");
    return std::move(reader.chains);
}

void use(SSL_CTX* context, const KeyChain& chain, const std::string& name)
{
    ERR_clear_error();
    if (!use_in<SSL_CTX>(context, chain, SSL_CTX_use_cert_and_key)) throw Failed(name + ": " + openssl_reasons());
}

bool use(SSL* connection, const KeyChain& chain) { return use_in<SSL>(connection, chain, SSL_use_cert_and_key); }

} // namespace tls
