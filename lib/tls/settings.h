// settings: what the two contexts need to know; filled in from main.cf by those who own the parameters.
#pragma once

#include "tls/ciphers.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tls {

// What both sides have.
struct CommonSettings {
    // Files of PEM with a private key and its chain each (smtpd_tls_chain_files); or one certificate file with its
    // key's file.
    std::vector<std::string> chain_files;
    std::string cert_file;
    std::string key_file;       // "": in cert_file
    std::string more_cert_file; // a second one, of another algorithm (smtpd_tls_eccert_file)
    std::string more_key_file;
    std::string third_cert_file; // smtpd_tls_dcert_file
    std::string third_key_file;
    std::string ca_file;
    std::string ca_path;
    std::string protocols = ">=TLSv1.2";
    std::string cipher_grade = "medium";
    std::vector<std::string> exclude_ciphers;
    CipherGrades grades;
    std::string groups;                   // "X25519 P-256"; "": OpenSSL decides
    std::vector<std::string> ssl_options; // tls_ssl_options
    std::string fingerprint_digest = "sha256";
};

struct ServerSettings : CommonSettings {
    bool server_order = false; // tls_preempt_cipherlist
    bool ask_certificate = false;
    bool require_certificate = false;
    int verify_depth = 9; // certificates between a client's own and an authority's
    std::string dh_file;                      // "" or "auto": OpenSSL's own groups
    std::string session_context = "rookpost"; // sessions are resumed within one of these only
    int session_lifetime = 3600;              // seconds; 0: no tickets
    // Shared by processes that shall resume each other's sessions, see ticket_keys.h; "": this process alone.
    std::string ticket_secret;
    // PEM (key and chain) for a name that a client asks for by SNI; nothing: the certificates above.
    std::function<std::optional<std::string>(const std::string& name)> certificate_for;
    std::vector<std::string> alpn; // "imap" …; a client that offers only others is refused (RFC 7301 3.2)
};

struct ClientSettings : CommonSettings {
    bool append_default_ca = true; // the system's authorities count too (tls_append_default_CA)
    size_t session_cache = 512;    // servers whose sessions are remembered; 0: none
    int session_lifetime = 3600;   // seconds
    int verify_depth = 9;          // authorities between a server and those we trust
};

} // namespace tls
