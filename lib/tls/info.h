// info: what was agreed in a handshake, and how far the peer is to be believed.
#pragma once

#include <string>
#include <vector>

namespace tls {

// Postfix's four words in "Trusted TLS connection established …".
enum class Trust {
    anonymous, // the peer showed no certificate
    untrusted, // it did, but no authority of ours vouches for it
    trusted,   // one does
    verified,  // and it is the name (fingerprint, DANE record) that was asked for
};
const char* word(Trust trust); // "Anonymous" …

struct Info {
    std::string protocol; // "TLSv1.3"
    std::string cipher;   // "TLS_AES_256_GCM_SHA384"
    int bits_used = 0;
    int bits_total = 0;
    std::string details;     // "key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256"; TLS 1.3
                             // only, else ""
    bool resumed = false;    // an earlier session went on
    std::string server_name; // SNI: what the client asked for, or what we asked for
    bool named_certificate = false; // tls_server_sni_maps has a certificate for that name
    // Server only, bytes: what a login can be bound to. RFC 9266 (TLS 1.3 alone) and RFC 5929 4; "": there is none.
    std::string exporter, server_end_point;

    Trust trust = Trust::anonymous;
    std::string peer_name;               // the certificate's subject common name
    std::string peer_issuer;             // its issuer's common name
    std::vector<std::string> peer_names; // DNS names in it
    std::string peer_fingerprint;        // "AB:CD:…" of the certificate, in the digest of the settings
    std::string peer_key_fingerprint;
    std::string trust_trouble; // why it is not trusted or verified: "certificate has expired"
    long trust_code = 0;       // the same as X509_V_ERR_…; 0 when all is well
    std::string issuer_line;   // the issuer's whole name: "/O=Example/CN=Example CA"

    // Bytes that came in the clear behind STARTTLS were thrown away: the peer, or somebody between, tried
    // CVE-2011-0411.
    bool plaintext_discarded = false;

    // "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)".
    std::string cipher_text() const;
    // cipher_text() and the details, as Postfix logs them.
    std::string text() const;
    // The lines of Received: that smtpd_tls_received_header asks for, each with a tab before and CRLF behind.
    std::string received_lines(bool certificate_asked_for) const;
};

} // namespace tls
