#include "tls/describe.h"

#include "base/text.h"

#include <openssl/ec.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include <fmt/format.h>

namespace tls {
namespace {

std::string group_name(EVP_PKEY* key)
{
    char name[80] = "";
    size_t size = 0;
    if (EVP_PKEY_get_group_name(key, name, sizeof name, &size) != 1) return {};
    const char* nist = EC_curve_nid2nist(OBJ_sn2nid(name));
    return nist ? nist : name;
}

std::string key_exchange(EVP_PKEY* key)
{
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_EC: return fmt::format(" key-exchange ECDHE ({})", group_name(key));
    case EVP_PKEY_DH: return fmt::format(" key-exchange DHE ({} bits)", EVP_PKEY_get_bits(key));
    default: break;
    }
    const char* name = EVP_PKEY_get0_type_name(key);
    return name ? fmt::format(" key-exchange {}", name) : "";
}

std::string signature(const char* side, EVP_PKEY* key, int digest)
{
    std::string text;
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS: text = fmt::format(" {}-signature RSA-PSS ({} bits)", side, EVP_PKEY_get_bits(key)); break;
    case EVP_PKEY_EC: text = fmt::format(" {}-signature ECDSA ({})", side, group_name(key)); break;
    default: text = fmt::format(" {}-signature {}", side, EVP_PKEY_get0_type_name(key)); break;
    }
    if (digest != NID_undef) text += fmt::format(" {}-digest {}", side, OBJ_nid2sn(digest));
    return text;
}

// Older versions say all of this in the cipher's name.
std::string details(SSL* connection)
{
    if (SSL_version(connection) < TLS1_3_VERSION) return {};
    std::string text;
    EVP_PKEY* temporary = nullptr;
    if (SSL_get_peer_tmp_key(connection, &temporary) == 1 && temporary) text = key_exchange(temporary);
    EVP_PKEY_free(temporary);
    if (SSL_session_reused(connection)) return std::string(base::trim_left(text));

    bool server = SSL_is_server(connection);
    X509* own = SSL_get_certificate(connection);
    X509* peer = SSL_get0_peer_certificate(connection);
    X509* of_server = server ? own : peer;
    X509* of_client = server ? peer : nullptr;
    auto digest = [&](bool ours) {
        int id = NID_undef;
        (void)(ours ? SSL_get_signature_nid(connection, &id) : SSL_get_peer_signature_nid(connection, &id));
        return id;
    };
    if (of_server) text += signature("server", X509_get0_pubkey(of_server), digest(server));
    if (of_client) text += signature("client", X509_get0_pubkey(of_client), digest(!server));
    return std::string(base::trim_left(text));
}

std::string common_name(const X509_NAME* name)
{
    int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    if (at < 0) return {};
    unsigned char* utf8 = nullptr;
    int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    if (size < 0) return {};
    std::string text(reinterpret_cast<char*>(utf8), static_cast<size_t>(size));
    OPENSSL_free(utf8);
    // A NUL inside would make a name look like another one (CVE-2009-2408).
    return text.find('\0') == std::string::npos ? base::printable(text, 255) : "";
}

std::vector<std::string> dns_names(X509* certificate)
{
    constexpr size_t most_names = 100;
    std::vector<std::string> names;
    auto* all = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
    for (int i = 0; i < sk_GENERAL_NAME_num(all) && names.size() < most_names; ++i) {
        const GENERAL_NAME* each = sk_GENERAL_NAME_value(all, i);
        if (each->type != GEN_DNS) continue;
        std::string_view name(reinterpret_cast<const char*>(ASN1_STRING_get0_data(each->d.dNSName)),
                              static_cast<size_t>(ASN1_STRING_length(each->d.dNSName)));
        if (name.find('\0') == std::string_view::npos) names.push_back(base::printable(name, 255));
    }
    GENERAL_NAMES_free(all);
    return names;
}

std::string colons(const unsigned char* bytes, unsigned size)
{
    std::string text;
    for (unsigned i = 0; i < size; ++i) text += fmt::format("{}{:02X}", i > 0 ? ":" : "", bytes[i]);
    return text;
}

// RFC 9266 4.2: the label, no context, 32 bytes.
std::string exporter(SSL* connection)
{
    constexpr std::string_view label = "EXPORTER-Channel-Binding";
    unsigned char bytes[32];
    if (SSL_version(connection) < TLS1_3_VERSION) return {};
    if (SSL_export_keying_material(connection, bytes, sizeof bytes, label.data(), label.size(), bytes, 0, 1) != 1) return {};
    return std::string(reinterpret_cast<char*>(bytes), sizeof bytes);
}

// RFC 5929 4.1: by the digest of the certificate's signature, but SHA-256 in place of MD5 and SHA-1.
std::string server_end_point(SSL* connection)
{
    X509* certificate = SSL_get_certificate(connection);
    int id = NID_undef;
    if (!certificate || X509_get_signature_info(certificate, &id, nullptr, nullptr, nullptr) != 1) return {};
    bool weak = id == NID_md5 || id == NID_sha1 || id == NID_undef;
    const EVP_MD* digest = weak ? EVP_sha256() : EVP_get_digestbynid(id);
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (!digest || X509_digest(certificate, digest, bytes, &size) != 1) return {};
    return std::string(reinterpret_cast<char*>(bytes), size);
}

void describe_certificate(Info& info, X509* certificate, const EVP_MD* digest)
{
    info.peer_name = common_name(X509_get_subject_name(certificate));
    info.peer_issuer = common_name(X509_get_issuer_name(certificate));
    char issuer[512];
    info.issuer_line = base::printable(X509_NAME_oneline(X509_get_issuer_name(certificate), issuer, sizeof issuer), 500);
    info.peer_names = dns_names(certificate);
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (X509_digest(certificate, digest, bytes, &size) == 1) info.peer_fingerprint = colons(bytes, size);
    unsigned char* encoded = nullptr;
    int encoded_size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &encoded);
    if (encoded_size > 0 && EVP_Digest(encoded, static_cast<size_t>(encoded_size), bytes, &size, digest, nullptr) == 1)
        info.peer_key_fingerprint = colons(bytes, size);
    OPENSSL_free(encoded);
}

} // namespace

Info describe(SSL* connection, const std::string& fingerprint_digest)
{
    Info info;
    info.protocol = SSL_get_version(connection);
    if (const SSL_CIPHER* cipher = SSL_get_current_cipher(connection)) {
        info.cipher = SSL_CIPHER_get_name(cipher);
        info.bits_used = SSL_CIPHER_get_bits(cipher, &info.bits_total);
    }
    info.details = details(connection);
    info.resumed = SSL_session_reused(connection) == 1;
    if (const char* name = SSL_get_servername(connection, TLSEXT_NAMETYPE_host_name))
        info.server_name = base::printable(name, 255);
    if (SSL_is_server(connection)) {
        info.exporter = exporter(connection);
        info.server_end_point = server_end_point(connection);
    }

    X509* certificate = SSL_get0_peer_certificate(connection);
    if (!certificate) return info;
    describe_certificate(info, certificate, EVP_get_digestbyname(fingerprint_digest.c_str()));
    long verdict = SSL_get_verify_result(connection);
    info.trust = verdict == X509_V_OK ? Trust::trusted : Trust::untrusted;
    info.trust_code = verdict;
    if (verdict != X509_V_OK) info.trust_trouble = X509_verify_cert_error_string(verdict);
    return info;
}

const char* word(Trust trust)
{
    static constexpr const char* words[] = {"Anonymous", "Untrusted", "Trusted", "Verified"};
    return words[static_cast<int>(trust)];
}

std::string Info::cipher_text() const
{
    return fmt::format("{} with cipher {} ({}/{} bits)", protocol, cipher, bits_used, bits_total);
}

std::string Info::received_lines(bool certificate_asked_for) const
{
    std::string lines = fmt::format("\t(using {}", cipher_text());
    if (!details.empty()) lines += "\r\n\t " + base::replace_all(details, " client-signature", "\r\n\t client-signature");
    lines += ")\r\n";
    if (trust != Trust::anonymous)
        return lines + fmt::format("\t(Client CN \"{}\", Issuer \"{}\" ({}))\r\n", peer_name, peer_issuer,
                                   trust == Trust::untrusted ? "not verified" : "verified OK");
    return lines + (certificate_asked_for ? "\t(Client did not present a certificate)\r\n" : "\t(No client certificate requested)\r\n");
}

std::string Info::text() const { return details.empty() ? cipher_text() : cipher_text() + " " + details; }

} // namespace tls
