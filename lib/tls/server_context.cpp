// server_context: certificates for those who come to us, session tickets, and renewal of what changed on disk.
#include "tls/context.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "tls/context_setup.h"
#include "tls/key_chain.h"
#include "tls/ticket_keys.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include <cstring>
#include <unordered_map>

namespace tls {
namespace {

constexpr auto look_interval = std::chrono::minutes(1);
constexpr size_t most_named_chains = 1000;

} // namespace

struct ServerContext::State {
    State(ServerSettings given) : settings(std::move(given)), tickets(settings.ticket_secret) {}

    ContextHandle make();
    void set_up_tickets(SSL_CTX* made);
    const std::vector<KeyChain>* chains_for(const std::string& name);
    int64_t hour() const { return base::unix_seconds(base::wall_now()) / 3600; }

    static int on_ticket(SSL* connection, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                         EVP_MAC_CTX* mac, int encrypt);
    static int on_server_name(SSL* connection, int* alert, void* state);
    static int on_alpn(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in, unsigned in_size,
                       void* state);
    // The chain is judged by whoever asked for the certificate; the handshake goes on.
    static int on_verify(int, X509_STORE_CTX*) { return 1; }

    ServerSettings settings;
    TicketKeys tickets;
    ContextHandle context;
    FilesStamp files;
    base::Steady last_look = base::steady_now();
    std::string alpn_wire;
    std::unordered_map<std::string, std::vector<KeyChain>> named_chains; // by SNI; forgotten at every look
};

ContextHandle ServerContext::State::make()
{
    ContextHandle made = make_context(TLS_server_method(), settings);
    if (settings.chain_files.empty() && settings.cert_file.empty() && !settings.certificate_for)
        throw Failed("no server certificate is configured");
    remember(made.get(), this);
    if (settings.server_order) SSL_CTX_set_options(made.get(), SSL_OP_CIPHER_SERVER_PREFERENCE);
    if (settings.ask_certificate || settings.require_certificate) {
        SSL_CTX_set_verify_depth(made.get(), settings.verify_depth);
        SSL_CTX_set_verify(made.get(), SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, on_verify);
        if (!settings.ca_file.empty())
            SSL_CTX_set_client_CA_list(made.get(), SSL_load_client_CA_file(settings.ca_file.c_str()));
    }
    SSL_CTX_set_dh_auto(made.get(), 1);
    if (!settings.dh_file.empty() && settings.dh_file != "auto") {
        BioHandle bio(BIO_new_file(settings.dh_file.c_str(), "r"));
        KeyHandle parameters(bio ? PEM_read_bio_Parameters(bio.get(), nullptr) : nullptr);
        // OpenSSL's own groups stand in for a missing or weak file, as in Postfix.
        if (parameters && SSL_CTX_set0_tmp_dh_pkey(made.get(), parameters.get()) == 1)
            (void)parameters.release();
        else
            base::log::warning("cannot use DH parameters of {}: {}", settings.dh_file, openssl_reasons());
    }
    if (settings.certificate_for) {
        SSL_CTX_set_tlsext_servername_callback(made.get(), on_server_name);
        SSL_CTX_set_tlsext_servername_arg(made.get(), this);
    }
    if (!alpn_wire.empty()) SSL_CTX_set_alpn_select_cb(made.get(), on_alpn, this);
    set_up_tickets(made.get());
    return made;
}

void ServerContext::State::set_up_tickets(SSL_CTX* made)
{
    SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_OFF); // tickets only: a session costs us no memory
    std::string id = settings.session_context.substr(0, SSL_MAX_SID_CTX_LENGTH);
    SSL_CTX_set_session_id_context(made, reinterpret_cast<const unsigned char*>(id.data()),
                                   static_cast<unsigned>(id.size()));
    if (settings.session_lifetime <= 0) {
        SSL_CTX_set_options(made, SSL_OP_NO_TICKET);
        SSL_CTX_set_num_tickets(made, 0);
        return;
    }
    SSL_CTX_set_timeout(made, settings.session_lifetime);
    SSL_CTX_set_num_tickets(made, 1);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(made, on_ticket);
}

int ServerContext::State::on_ticket(SSL* connection, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                                    EVP_MAC_CTX* mac, int encrypt)
{
    auto* state = remembered<State>(SSL_get_SSL_CTX(connection));
    int64_t hour = state->hour();
    std::optional<TicketKey> key;
    if (encrypt) {
        key = state->tickets.for_hour(hour);
        std::memcpy(name, key->name.data(), key->name.size());
        if (RAND_bytes(iv, EVP_MAX_IV_LENGTH) != 1) return -1;
    } else {
        std::string_view wanted(reinterpret_cast<char*>(name), TicketKey().name.size());
        key = state->tickets.named(wanted, hour, state->settings.session_lifetime / 3600 + 1);
        if (!key) return 0;
    }
    char digest[] = "SHA256";
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac.data(), key->mac.size()),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    bool done = EVP_MAC_CTX_set_params(mac, parameters) == 1 &&
                EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key->cipher.data(), iv, encrypt) == 1;
    bool current = std::memcmp(key->name.data(), state->tickets.for_hour(hour).name.data(), key->name.size()) == 0;
    OPENSSL_cleanse(&*key, sizeof *key);
    if (!done) return -1;
    // TLS 1.3 tickets are for one use: each resumption is given a new one.
    bool renew = !encrypt && (!current || SSL_version(connection) == TLS1_3_VERSION);
    return renew ? 2 : 1;
}

const std::vector<KeyChain>* ServerContext::State::chains_for(const std::string& name)
{
    auto known = named_chains.find(name);
    if (known != named_chains.end()) return known->second.empty() ? nullptr : &known->second;
    if (named_chains.size() >= most_named_chains) named_chains.clear();
    std::vector<KeyChain> chains;
    try {
        auto pem = settings.certificate_for(name);
        if (pem) chains = read_key_chains(*pem, "certificate for " + name);
    } catch (const std::exception& failure) {
        base::log::warning("TLS server name {}: {}", base::printable(name, 255), failure.what());
    }
    auto& kept = named_chains[name] = std::move(chains);
    return kept.empty() ? nullptr : &kept;
}

int ServerContext::State::on_server_name(SSL* connection, int*, void* state)
{
    const char* name = SSL_get_servername(connection, TLSEXT_NAMETYPE_host_name);
    if (!name || !*name) return SSL_TLSEXT_ERR_NOACK;
    auto* chains = static_cast<State*>(state)->chains_for(base::lower(name));
    if (!chains) return SSL_TLSEXT_ERR_NOACK;
    SSL_certs_clear(connection);
    for (const auto& chain : *chains)
        if (!use(connection, chain)) return SSL_TLSEXT_ERR_ALERT_FATAL;
    return SSL_TLSEXT_ERR_OK;
}

int ServerContext::State::on_alpn(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in,
                                  unsigned in_size, void* state)
{
    const std::string& wire = static_cast<State*>(state)->alpn_wire;
    unsigned char* chosen = nullptr;
    int result = SSL_select_next_proto(&chosen, size, reinterpret_cast<const unsigned char*>(wire.data()),
                                       static_cast<unsigned>(wire.size()), in, in_size);
    *out = chosen;
    // RFC 7301 3.2: no protocol in common is a fatal alert.
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

ServerContext::ServerContext(ServerSettings settings) : state_(std::make_unique<State>(std::move(settings)))
{
    for (const auto& protocol : state_->settings.alpn) {
        if (protocol.empty() || protocol.size() > 255) continue;
        state_->alpn_wire += static_cast<char>(protocol.size());
        state_->alpn_wire += protocol;
    }
    state_->files = stamp(state_->settings);
    state_->context = state_->make();
}

ServerContext::ServerContext(ServerContext&&) noexcept = default;
ServerContext& ServerContext::operator=(ServerContext&&) noexcept = default;
ServerContext::~ServerContext() = default;

const ServerSettings& ServerContext::settings() const { return state_->settings; }

void ServerContext::look_at_files() const
{
    state_->last_look = base::steady_now();
    state_->named_chains.clear();
    FilesStamp files = stamp(state_->settings);
    if (files == state_->files || !files.readable) return;
    // Remembered also when reading fails: one warning for each change, not one a minute.
    state_->files = files;
    try {
        state_->context = state_->make();
        base::log::info("TLS certificate was renewed on disk and is used from now on");
    } catch (const Failed& failure) {
        base::log::warning("a changed TLS certificate can't be loaded, the old one stays in use: {}",
                           failure.what());
    }
}

bool ServerContext::has_certificate_for(const std::string& name) const
{
    return state_->settings.certificate_for && state_->chains_for(base::lower(name));
}

ssl_ctx_st* ServerContext::current() const
{
    if (base::steady_now() - state_->last_look >= look_interval) look_at_files();
    return state_->context.get();
}

} // namespace tls
