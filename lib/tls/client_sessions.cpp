#include "tls/client_sessions.h"

#include "tls/context_setup.h"

#include <ctime>

namespace tls {

void ClientSessions::attach(SSL_CTX* context)
{
    if (most_ == 0) {
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
        return;
    }
    remember(context, this);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, on_new_session);
}

int ClientSessions::on_new_session(SSL* connection, SSL_SESSION* session)
{
    auto* key = static_cast<const std::string*>(SSL_get_app_data(connection));
    if (!key) return 0;
    remembered<ClientSessions>(SSL_get_SSL_CTX(connection))->keep(*key, SessionHandle(session));
    return 1; // the session is ours
}

void ClientSessions::keep(const std::string& key, SessionHandle session)
{
    forget(key);
    if (entries_.size() >= most_) forget(std::string(entries_.back().key));
    entries_.push_front(Entry{key, std::move(session)});
    by_key_[key] = entries_.begin();
}

void ClientSessions::use(SSL* connection, const std::string& key)
{
    if (most_ == 0) return;
    SSL_set_app_data(connection, const_cast<std::string*>(&key));
    auto found = by_key_.find(key);
    if (found == by_key_.end()) return;
    if (SSL_SESSION_get_time(found->second->session.get()) + lifetime_ <= std::time(nullptr)) return forget(key);
    SSL_set_session(connection, found->second->session.get());
    // RFC 8446 C.4: a ticket is not used twice, so that nobody can tell that both connections are ours.
    if (SSL_SESSION_get_protocol_version(found->second->session.get()) == TLS1_3_VERSION) forget(key);
}

void ClientSessions::forget(const std::string& key)
{
    auto found = by_key_.find(key);
    if (found == by_key_.end()) return;
    auto entry = found->second;
    by_key_.erase(found);
    entries_.erase(entry);
}

} // namespace tls
