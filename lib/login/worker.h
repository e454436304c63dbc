// worker: the process that serves all sessions of one uid, and what it and its supervisor say to each other. The supervisor closes
// the channel when the worker shall take no more; it then ends with its last session.
#pragma once

#include "login/hand_over.h"
#include "login/session.h"

#include <cstdint>
#include <string>

namespace login {

struct Serve {
    static constexpr uint16_t type = 20;
    uint64_t number = 0;
    HandOver hand_over;
    std::string user;
    uint32_t uid = 0, gid = 0;
    std::string home, mail_location;
    template <class V> void fields(V& v) { v(number, hand_over, user, uid, gid, home, mail_location); }
};

struct Ended {
    static constexpr uint16_t type = 21;
    uint64_t number = 0;
    template <class V> void fields(V& v) { v(number); }
};

struct WorkerSettings {
    uid_t uid = 0;
    gid_t gid = 0;
    bool change_user = false;
    bool sandboxed = true;
};

// To be called in the forked child: gives up everything of the supervisor's but its log, becomes the user, serves, and exits.
[[noreturn]] void run_worker(base::Fd channel, const WorkerSettings& settings, const SessionFunction& session);

} // namespace login
