#include "tls/handshake.h"

#include "base/clock.h"
#include "base/text.h"
#include "tls/client_sessions.h"
#include "tls/describe.h"
#include "tls/protocols.h"
#include "tls/transport.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <fmt/format.h>

#include <algorithm>

namespace tls {
namespace {

using Status = net::Transport::Result::Status;

struct LevelWord {
    const char* word;
    Level level;
};
constexpr LevelWord levels[] = {
    {"none", Level::none}, {"may", Level::may},        {"encrypt", Level::encrypt}, {"fingerprint", Level::fingerprint},
    {"dane", Level::dane}, {"dane-only", Level::dane}, {"verify", Level::verify},   {"secure", Level::secure},
};

// Every step is within the same limit, so that a peer can't stretch it by a byte now and then.
async::Task<> shake_hands(net::Stream& stream, TlsTransport& transport, net::Limit limit)
{
    base::Steady start = base::steady_now();
    while (true) {
        auto result = transport.handshake();
        if (result.status == Status::done) co_return;
        if (result.status == Status::end) throw net::Gone(net::Gone::closed, "lost connection in TLS handshake");
        if (result.status == Status::failed) {
            std::string why = !result.detail.empty() ? result.detail : base::error_text(result.error);
            throw Failed(why);
        }
        net::Limit left = limit;
        if (limit >= net::Limit::zero()) {
            auto spent = std::chrono::duration_cast<net::Limit>(base::steady_now() - start);
            left = std::max(net::Limit(0), limit - spent);
        }
        co_await stream.wait_for(result.status, left);
    }
}

bool is_address(const std::string& name) { return net::Address::parse_ip(name, 0).has_value(); }

std::string bare_hex(std::string_view text)
{
    std::string result;
    for (char c : text)
        if (c != ':') result += base::lower(c);
    return result;
}

bool has_fingerprint(const Info& info, const Target& target)
{
    for (const auto& wanted : target.fingerprints) {
        std::string hex = bare_hex(wanted);
        if (!hex.empty() && (hex == bare_hex(info.peer_fingerprint) || hex == bare_hex(info.peer_key_fingerprint)))
            return true;
    }
    return false;
}

bool has_name(X509* certificate, const Target& target)
{
    auto matches = [&](const std::string& name) {
        if (is_address(name)) return X509_check_ip_asc(certificate, name.c_str(), 0) == 1;
        return X509_check_host(certificate, name.data(), name.size(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, nullptr) ==
               1;
    };
    if (target.match.empty()) return !target.server_name.empty() && matches(target.server_name);
    return std::any_of(target.match.begin(), target.match.end(),
                       [&](const std::string& name) { return !name.empty() && matches(name); });
}

// RFC 7672 3.1.3: PKIX-TA and PKIX-EE records are of no use to SMTP.
void expect_dane(SSL* connection, const Target& target)
{
    if (SSL_dane_enable(connection, target.server_name.c_str()) <= 0)
        throw Failed("can't use DANE: " + openssl_reasons());
    SSL_dane_set_flags(connection, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
    for (const auto& name : target.match) SSL_add1_host(connection, name.c_str());
    int usable = 0;
    for (const auto& record : target.tlsa) {
        if (record.usage != 2 && record.usage != 3) continue;
        auto* data = reinterpret_cast<const unsigned char*>(record.data.data());
        if (SSL_dane_tlsa_add(connection, record.usage, record.selector, record.matching, data, record.data.size()) > 0)
            ++usable;
    }
    ERR_clear_error();
    if (usable == 0) throw Failed("no usable TLSA records");
}

void apply_rules(SSL* connection, const ClientContext& context, const Target& target)
{
    if (!target.protocols.empty()) {
        Protocols protocols = parse_protocols(target.protocols);
        SSL_set_min_proto_version(connection, protocols.lowest);
        SSL_set_max_proto_version(connection, protocols.highest);
        SSL_clear_options(connection, SSL_OP_NO_SSL_MASK);
        SSL_set_options(connection, protocols.without);
    }
    if (target.cipher_grade.empty()) return;
    std::string list = cipher_list(target.cipher_grade, target.exclude_ciphers, context.settings().grades);
    if (SSL_set_cipher_list(connection, list.c_str()) != 1)
        throw Failed("cipher list \"" + list + "\": " + openssl_reasons());
}

void apply_trust_anchors(SSL* connection, const Target& target)
{
    if (target.trust_anchor_files.empty()) return;
    std::unique_ptr<X509_STORE, FreeBy<X509_STORE_free>> store(X509_STORE_new());
    for (const auto& file : target.trust_anchor_files)
        if (X509_STORE_load_file(store.get(), file.c_str()) != 1)
            throw Failed("can't load trust anchors from " + file + ": " + openssl_reasons());
    SSL_set1_verify_cert_store(connection, store.get());
    // An anchor need not be self-signed: it may be the authority in between, or the server's own certificate.
    X509_VERIFY_PARAM_set_flags(SSL_get0_param(connection), X509_V_FLAG_PARTIAL_CHAIN);
}

void expect(TlsTransport& transport, const ClientContext& context, const Target& target)
{
    SSL* connection = transport.connection();
    SSL_set_connect_state(connection);
    apply_rules(connection, context, target);
    apply_trust_anchors(connection, target);
    if (!target.server_name.empty() && !is_address(target.server_name))
        SSL_set_tlsext_host_name(connection, target.server_name.c_str());
    if (target.level == Level::dane) {
        expect_dane(connection, target);
        return;
    }
    const std::string& name = target.session_key.empty() ? target.server_name : target.session_key;
    if (name.empty()) return;
    // A session is as trusted as it was when it began: what was asked for then is part of its name.
    transport.session_key =
        fmt::format("{} {} {} {} {} {} {}", word(target.level), name, target.protocols, target.cipher_grade,
                    base::join(target.exclude_ciphers, ","), base::join(target.trust_anchor_files, ","), target.server_name);
    context.sessions().use(connection, transport.session_key);
}

void distrust(Info& info, long code)
{
    if (info.trust != Trust::anonymous) info.trust = Trust::untrusted;
    if (info.trust_code != X509_V_OK) return;
    info.trust_code = code;
    info.trust_trouble = X509_verify_cert_error_string(code);
}

// How far the server is the one that was wanted, and whether that is enough.
void judge(Info& info, SSL* connection, const Target& target)
{
    X509* certificate = SSL_get0_peer_certificate(connection);
    bool trusted = certificate && SSL_get_verify_result(connection) == X509_V_OK;
    bool verified = false;
    switch (target.level) {
    case Level::none:
    case Level::may:
    case Level::encrypt: return;
    case Level::fingerprint:
        verified = has_fingerprint(info, target);
        if (!verified) distrust(info, X509_V_ERR_CERT_UNTRUSTED);
        break;
    case Level::dane:
        verified = trusted;
        if (!verified) distrust(info, X509_V_ERR_CERT_UNTRUSTED);
        break;
    case Level::verify:
    case Level::secure:
        verified = trusted && has_name(certificate, target);
        if (!verified) distrust(info, X509_V_ERR_HOSTNAME_MISMATCH);
        break;
    }
    if (!verified) throw NotVerified(std::move(info));
    info.trust = Trust::verified;
    info.trust_code = X509_V_OK;
    info.trust_trouble.clear();
}

} // namespace

std::optional<Level> level(std::string_view text)
{
    for (const auto& each : levels)
        if (base::same_word(each.word, text)) return each.level;
    return std::nullopt;
}

const char* word(Level level)
{
    for (const auto& each : levels)
        if (each.level == level) return each.word;
    return "";
}

async::Task<Info> accept(net::Stream& stream, const ServerContext& context, net::Limit limit)
{
    co_await stream.flush(limit);
    bool discarded = stream.discard_buffered();
    auto transport = std::make_unique<TlsTransport>(context.current(), stream.fd());
    SSL_set_accept_state(transport->connection());
    co_await shake_hands(stream, *transport, limit);
    Info info = describe(transport->connection(), context.settings().fingerprint_digest);
    if (context.settings().require_certificate && info.trust != Trust::trusted)
        throw Failed(info.trust == Trust::anonymous ? "client certificate missing"
                                                    : "client certificate not trusted: " + info.trust_trouble);
    info.named_certificate = !info.server_name.empty() && context.has_certificate_for(info.server_name);
    info.plaintext_discarded = discarded;
    stream.set_transport(std::move(transport));
    co_return info;
}

async::Task<Info> connect(net::Stream& stream, const ClientContext& context, Target target, net::Limit limit)
{
    co_await stream.flush(limit);
    bool discarded = stream.discard_buffered();
    auto transport = std::make_unique<TlsTransport>(context.current(), stream.fd());
    expect(*transport, context, target);
    co_await shake_hands(stream, *transport, limit);
    SSL* connection = transport->connection();
    Info info = describe(connection, context.settings().fingerprint_digest);
    if (info.server_name.empty()) info.server_name = target.server_name;
    info.plaintext_discarded = discarded;
    // From here on the caller speaks under TLS, if only to take his leave.
    stream.set_transport(std::move(transport));
    judge(info, connection, target);
    co_return info;
}

} // namespace tls
