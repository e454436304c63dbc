// client_context: authorities for judging servers, and the sessions they let us resume.
#include "tls/context.h"

#include "tls/client_sessions.h"
#include "tls/context_setup.h"

namespace tls {

struct ClientContext::State {
    explicit State(ClientSettings given) : settings(std::move(given)), sessions(settings.session_cache, settings.session_lifetime) {}
    ClientSettings settings;
    ClientSessions sessions;
    ContextHandle context;
};

ClientContext::ClientContext(ClientSettings settings) : state_(std::make_unique<State>(std::move(settings)))
{
    state_->context = make_context(TLS_client_method(), state_->settings);
    SSL_CTX* context = state_->context.get();
    if (state_->settings.append_default_ca) SSL_CTX_set_default_verify_paths(context);
    SSL_CTX_dane_enable(context);
    SSL_CTX_set_verify_depth(context, state_->settings.verify_depth);
    // What is wrong with a chain is looked at after the handshake, by the level that is wanted.
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
    state_->sessions.attach(context);
}

ClientContext::ClientContext(ClientContext&&) noexcept = default;
ClientContext& ClientContext::operator=(ClientContext&&) noexcept = default;
ClientContext::~ClientContext() = default;

const ClientSettings& ClientContext::settings() const { return state_->settings; }
ssl_ctx_st* ClientContext::current() const { return state_->context.get(); }
ClientSessions& ClientContext::sessions() const { return state_->sessions; }

} // namespace tls
