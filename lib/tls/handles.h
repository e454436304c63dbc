// handles: OpenSSL's objects with one owner each. Only for the files of this folder.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string_view>

namespace tls {

template <auto function> struct FreeBy {
    template <class T> void operator()(T* object) const { function(object); }
};

using BioHandle = std::unique_ptr<BIO, FreeBy<BIO_free_all>>;
using KeyHandle = std::unique_ptr<EVP_PKEY, FreeBy<EVP_PKEY_free>>;
using CertificateHandle = std::unique_ptr<X509, FreeBy<X509_free>>;
using ContextHandle = std::unique_ptr<SSL_CTX, FreeBy<SSL_CTX_free>>;
using ConnectionHandle = std::unique_ptr<SSL, FreeBy<SSL_free>>;
using SessionHandle = std::unique_ptr<SSL_SESSION, FreeBy<SSL_SESSION_free>>;

inline BioHandle bio_over(std::string_view bytes)
{
    return BioHandle(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

} // namespace tls
