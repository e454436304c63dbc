// commands: the table of what a client may say in the TRANSACTION state, and the arguments it may give.
#pragma once

#include "session.h"

#include <optional>
#include <stdexcept>
#include <string_view>

namespace pop3d {

// The client's slip; what() is the text after -ERR.
class Bad : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// Words between spaces.
class Arguments {
public:
    explicit Arguments(std::string_view text) : left_(text) {}
    bool at_end() const { return left_.empty(); }
    void end() const;                                   // throws Bad
    uint64_t number();
    std::string_view rest() const { return left_; }
    // msg: the number of a message that is there and not deleted. RFC 1939 5.
    Message& message(Session& session, size_t* number = nullptr);

private:
    std::string_view left_;
};

struct Command {
    std::string_view name;
    async::Task<> (*run)(Session&, Arguments);
};
const Command* find_command(std::string_view name);     // null: there is none

async::Task<> cmd_capa(Session& session, Arguments arguments);
async::Task<> cmd_lang(Session& session, Arguments arguments);
async::Task<> cmd_stat(Session& session, Arguments arguments);
async::Task<> cmd_list(Session& session, Arguments arguments);
async::Task<> cmd_uidl(Session& session, Arguments arguments);
async::Task<> cmd_retr(Session& session, Arguments arguments);
async::Task<> cmd_top(Session& session, Arguments arguments);
async::Task<> cmd_dele(Session& session, Arguments arguments);
async::Task<> cmd_last(Session& session, Arguments arguments);
async::Task<> cmd_rset(Session& session, Arguments arguments);
async::Task<> cmd_noop(Session& session, Arguments arguments);
async::Task<> cmd_quit(Session& session, Arguments arguments);

} // namespace pop3d
