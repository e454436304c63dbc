// login_commands: the table of what a client may say before it is logged in.
#pragma once

#include "login_words.h"

#include "async/task.h"
#include "login/visitor.h"

#include <span>
#include <string>
#include <string_view>

namespace imap_login {

struct Session {
    explicit Session(login::Visitor& visitor) : visitor(visitor) {}

    void answer(std::string_view text) { visitor.say(tag + " " + std::string(text)); }

    login::Visitor& visitor;
    std::string tag;            // of the command at hand
    bool over = false;
};

struct Verb {
    std::string_view name;
    async::Task<> (*run)(Session&, Words&);
};
std::span<const Verb> verbs();

async::Task<std::string> capabilities(login::Visitor& visitor);

} // namespace imap_login
