// transport: TLS between a stream and its socket. Only for the files of this folder.
#pragma once

#include "net/stream.h"
#include "tls/handles.h"

#include <string>

namespace tls {

class TlsTransport final : public net::Transport {
public:
    TlsTransport(SSL_CTX* context, int fd); // throws Failed

    SSL* connection() const { return connection_.get(); }
    Result handshake(); // again and again, until done
    // What the client's session is remembered by; as long-lived as the connection.
    std::string session_key;

    Result read(std::span<char> into) override;
    Result write(std::string_view bytes) override;
    Result close() override;

private:
    Result result_of(int returned, size_t bytes);

    ConnectionHandle connection_;
    bool broken_ = false;
};

} // namespace tls
