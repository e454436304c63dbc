#include "tls/transport.h"

#include "tls/error.h"

#include <openssl/err.h>

#include <cerrno>

namespace tls {

TlsTransport::TlsTransport(SSL_CTX* context, int fd) : connection_(SSL_new(context))
{
    if (!connection_ || SSL_set_fd(connection_.get(), fd) != 1) throw Failed("OpenSSL: " + openssl_reasons());
}

net::Transport::Result TlsTransport::result_of(int returned, size_t bytes)
{
    int system_error = errno;
    switch (SSL_get_error(connection_.get(), returned)) {
    case SSL_ERROR_NONE: return {Result::done, bytes};
    case SSL_ERROR_WANT_READ: return {Result::want_read};
    case SSL_ERROR_WANT_WRITE: return {Result::want_write};
    case SSL_ERROR_ZERO_RETURN: return {Result::end};
    case SSL_ERROR_SYSCALL:
        broken_ = true;
        ERR_clear_error();
        if (system_error == 0) return {Result::end};
        return {Result::failed, 0, system_error};
    default: break;
    }
    broken_ = true;
    // Most peers hang up without close_notify. Mail protocols mark their own ends, so that a cut is noticed above.
    if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        ERR_clear_error();
        return {Result::end};
    }
    std::string reasons = openssl_reasons();
    return {Result::failed, 0, EPROTO, reasons.empty() ? "TLS protocol error" : reasons};
}

net::Transport::Result TlsTransport::handshake()
{
    ERR_clear_error();
    errno = 0;
    return result_of(SSL_do_handshake(connection_.get()), 0);
}

net::Transport::Result TlsTransport::read(std::span<char> into)
{
    ERR_clear_error();
    errno = 0;
    size_t bytes = 0;
    int returned = SSL_read_ex(connection_.get(), into.data(), into.size(), &bytes);
    return result_of(returned, bytes);
}

net::Transport::Result TlsTransport::write(std::string_view bytes)
{
    if (bytes.empty()) return {Result::done};
    ERR_clear_error();
    errno = 0;
    size_t written = 0;
    int returned = SSL_write_ex(connection_.get(), bytes.data(), bytes.size(), &written);
    return result_of(returned, written);
}

net::Transport::Result TlsTransport::close()
{
    if (broken_ || SSL_in_init(connection_.get())) return {Result::done};
    ERR_clear_error();
    errno = 0;
    int returned = SSL_shutdown(connection_.get());
    // 0: our close_notify is sent; the peer's is not waited for (RFC 8446 6.1).
    if (returned >= 0) return {Result::done};
    return result_of(returned, 0);
}

} // namespace tls
