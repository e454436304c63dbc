// hand_over: what the login stage says to the session stage on private/imap and private/pop3, and the answer.
//
// One connection carries one HandOver and one HandedOver. Until the answer the login process keeps its own end of the client's
// connection, does not read from it, and tells the client itself when the session stage refuses.
#pragma once

#include "base/fd.h"

#include <cstdint>
#include <string>

namespace login {

// "This client proved who it is; go on with it." The ticket says to auth who; `user` is only for the log.
struct HandOver {
    static constexpr uint16_t type = 1;
    std::string ticket;
    base::Fd connection;            // the client's socket, or for TLS an end of a pair whose other end the login process serves
    std::string pending;            // what the client sent after its login command
    std::string session_id;
    std::string remote, local;      // addresses without ports: "192.0.2.1", "::1"
    bool secured = false;           // TLS lies between the client and us
    std::string tag;                // IMAP: the tag that waits for its answer
    std::string user;
    template <class V> void fields(V& v) { v(ticket, connection, pending, session_id, remote, local, secured, tag, user); }
};

struct HandedOver {
    static constexpr uint16_t type = 2;
    enum Verdict : uint32_t {
        taken,
        not_authenticated,          // auth does not know the ticket
        too_many,                   // mail_max_userip_connections
        unavailable,                // auth or the worker can't be had: try later
    };
    Verdict verdict = unavailable;
    uint32_t pid = 0;               // the process that serves the session, when taken
    template <class V> void fields(V& v) { v(verdict, pid); }
};

} // namespace login
