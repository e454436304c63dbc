// client_sessions: what servers gave us for a shorter handshake next time. Only for the files of this folder.
#pragma once

#include "tls/handles.h"

#include <list>
#include <string>
#include <unordered_map>

namespace tls {

class ClientSessions {
public:
    ClientSessions(size_t most, int lifetime) : most_(most), lifetime_(lifetime) {}
    void attach(SSL_CTX* context);

    // Resumes a session of that server if there is one, and remembers those it gives. `key` must stay as long as the
    // connection.
    void use(SSL* connection, const std::string& key);
    void forget(const std::string& key);

private:
    static int on_new_session(SSL* connection, SSL_SESSION* session);
    void keep(const std::string& key, SessionHandle session);

    struct Entry {
        std::string key;
        SessionHandle session;
    };
    size_t most_;
    int lifetime_; // seconds
    std::list<Entry> entries_; // the latest first
    std::unordered_map<std::string, std::list<Entry>::iterator> by_key_;
};

} // namespace tls
