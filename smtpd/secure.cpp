#include "secure.h"

#include "base/log.h"
#include "base/text.h"
#include "tls/handshake.h"

namespace smtpd {
namespace {

void log_success(const Session& s, int level)
{
    if (level < 1) return;
    const tls::Info& info = *s.tls;
    if (info.trust == tls::Trust::untrusted)
        base::log::info("certificate verification failed for {}: {}", s.client.text(), info.trust_trouble);
    base::log::info("{} TLS connection {} from {}{}: {}", tls::word(info.trust), info.resumed ? "reused" : "established", s.client.text(),
                    info.named_certificate ? " to " + info.server_name : "", info.text());
    if (level < 2 || info.trust == tls::Trust::anonymous) return;
    base::log::info("{}: subject_CN={}, issuer={}, fingerprint={}, pkey_fingerprint={}", s.client.text(), info.peer_name, info.peer_issuer,
                    info.peer_fingerprint, info.peer_key_fingerprint);
}

} // namespace

async::Task<> start_tls(Session& s)
{
    int level = base::number<int>(s.config.smtpd_tls_loglevel).value_or(1);
    if (level >= 2) base::log::info("setting up TLS connection from {}", s.client.text());
    std::string problem, error;
    try {
        s.tls = co_await tls::accept(s.stream, *s.service.tls, s.config.smtpd_starttls_timeout);
    } catch (const tls::Failed& failure) {
        error = "-1";
        problem = failure.what();
    } catch (const net::Gone& gone) {
        error = gone.why() == net::Gone::timed_out ? "Connection timed out" : "lost connection";
    }
    if (error.empty()) co_return log_success(s, level);
    base::log::info("SSL_accept error from {}: {}", s.client.text(), error);
    if (!problem.empty()) base::log::warning("TLS library problem: {}", problem);
    throw net::Gone(net::Gone::closed, "TLS handshake failed");
}

} // namespace smtpd
