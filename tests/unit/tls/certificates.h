// certificates: an authority and what it signs, made with OpenSSL for one test.
#pragma once

#include "base/fd.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdlib>
#include <filesystem>
#include <string>

struct TestKey {
    TestKey() : key(EVP_EC_gen("P-256")) {}
    ~TestKey() { EVP_PKEY_free(key); }
    TestKey(const TestKey&) = delete;
    std::string pem() const
    {
        BIO* bio = BIO_new(BIO_s_mem());
        PEM_write_bio_PKCS8PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
        char* bytes = nullptr;
        long size = BIO_get_mem_data(bio, &bytes);
        std::string text(bytes, static_cast<size_t>(size));
        BIO_free(bio);
        return text;
    }
    EVP_PKEY* key;
};

inline void add_extension(X509* certificate, int nid, const char* value)
{
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

// One certificate: for name, by issuer (itself when null).
inline std::string make_certificate(const TestKey& subject, const std::string& name, const TestKey& signer,
                                    const std::string& signer_name, bool authority, long days = 2)
{
    static long serial = 0;
    X509* certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -86400 * 3);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400 * days);
    X509_set_pubkey(certificate, subject.key);
    auto set_name = [](X509_NAME* into, const std::string& text) {
        X509_NAME_add_entry_by_txt(into, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()), -1, 0);
    };
    set_name(X509_get_subject_name(certificate), name);
    set_name(X509_get_issuer_name(certificate), signer_name);
    add_extension(certificate, NID_basic_constraints, authority ? "critical,CA:TRUE" : "CA:FALSE");
    if (!authority) add_extension(certificate, NID_subject_alt_name, ("DNS:" + name).c_str());
    X509_sign(certificate, signer.key, EVP_sha256());
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, certificate);
    char* bytes = nullptr;
    long size = BIO_get_mem_data(bio, &bytes);
    std::string pem(bytes, static_cast<size_t>(size));
    BIO_free(bio);
    X509_free(certificate);
    return pem;
}

// A folder with ca.pem, cert.pem, key.pem and chain.pem (key first) for one server name.
struct TestCertificates {
    explicit TestCertificates(const std::string& name, long days = 2)
    {
        char pattern[] = "/tmp/tls-test.XXXXXX";
        folder = ::mkdtemp(pattern);
        ca = make_certificate(ca_key, "Test Authority", ca_key, "Test Authority", true);
        write("ca.pem", ca);
        issue(name, days);
    }
    ~TestCertificates() { std::filesystem::remove_all(folder); }
    TestCertificates(const TestCertificates&) = delete;

    std::string chain_for(const std::string& name, long days = 2) const
    {
        TestKey key;
        return key.pem() + make_certificate(key, name, ca_key, "Test Authority", false, days);
    }
    void issue(const std::string& name, long days = 2)
    {
        TestKey key;
        std::string certificate = make_certificate(key, name, ca_key, "Test Authority", false, days);
        write("key.pem", key.pem());
        write("cert.pem", certificate);
        write("chain.pem", key.pem() + certificate);
    }
    std::string path(const std::string& file) const { return folder + "/" + file; }
    void write(const std::string& file, const std::string& text) const { base::replace_file(path(file), text, 0600); }

    std::string folder, ca;
    TestKey ca_key;
};
