// login_commands: the table of what a client may say before it is logged in.
#pragma once

#include "login/visitor.h"

#include <span>
#include <string>
#include <string_view>

namespace pop3_login {

struct Session {
    explicit Session(login::Visitor& visitor) : visitor(visitor) {}

    login::Visitor& visitor;
    std::string user;           // of USER, until PASS
    bool over = false;
};

// run() answers by itself, or returns what was wrong with the command.
struct Verb {
    std::string_view name;
    async::Task<std::string> (*run)(Session&, std::string_view arguments);
};
std::span<const Verb> verbs();

} // namespace pop3_login
