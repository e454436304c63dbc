// context: keys, authorities and rules that many sessions share. Made while private keys may be read; later a changed
// certificate is noticed (at most one look a minute) and read again if that is still allowed, else the old one stays:
// master notices as well, and starts processes anew that may not.
#pragma once

#include "tls/error.h"
#include "tls/settings.h"

#include <memory>
#include <string>

struct ssl_ctx_st;

namespace tls {

class ClientSessions;

class ServerContext {
public:
    explicit ServerContext(ServerSettings settings); // throws Failed
    ServerContext(ServerContext&&) noexcept;
    ServerContext& operator=(ServerContext&&) noexcept;
    ~ServerContext();

    const ServerSettings& settings() const;
    ssl_ctx_st* current() const; // renewed when files changed; one more session
    bool has_certificate_for(const std::string& name) const; // ServerSettings::certificate_for knows it
    void look_at_files() const;  // now, without waiting for the minute (SIGHUP, tests)

private:
    struct State;
    std::unique_ptr<State> state_;
};

class ClientContext {
public:
    explicit ClientContext(ClientSettings settings); // throws Failed
    ClientContext(ClientContext&&) noexcept;
    ClientContext& operator=(ClientContext&&) noexcept;
    ~ClientContext();

    const ClientSettings& settings() const;
    ssl_ctx_st* current() const;
    ClientSessions& sessions() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace tls
