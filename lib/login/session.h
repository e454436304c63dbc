// session: who an authenticated session belongs to, and what is known of its connection.
#pragma once

#include "net/stream.h"

#include <sys/types.h>

#include <functional>
#include <string>

namespace login {

// What auth says of a ticket's owner.
struct Account {
    std::string user;               // "anna" or "anna@example.org", as auth normalized it
    uid_t uid = 0;
    gid_t gid = 0;
    std::string home;
    std::string mail_location;      // auth's own word for this user, else the parameter's value
};

struct Session {
    std::string user;
    uid_t uid = 0;
    gid_t gid = 0;
    std::string home;
    std::string mail_location;      // for store::parse_location()
    std::string tag;                // IMAP: the tag of LOGIN or AUTHENTICATE; the session says "<tag> OK …" first of all
    std::string session_id;
    std::string remote, local;      // addresses without ports
    bool secured = false;           // TLS; the login process does it, the stream itself is plain
};

// Serves one session, from the answer to the login command (which is still to be given) to the end. The stream already holds
// what the client sent after its login command.
using SessionFunction = std::function<async::Task<>(net::Stream, Session)>;

} // namespace login
