// master_session: a connection of a session stage or of local delivery: Dovecot's auth-master protocol, the side that
// answers.
#pragma once

#include "context.h"
#include "net/stream.h"

#include <string>
#include <string_view>
#include <vector>

namespace auth {

// Root, or ourselves: who may ask about users and redeem tickets.
bool is_trusted_peer(int fd);

async::Task<> serve_master(net::Stream stream, Context& context);

// The answer to REQUEST or USER, without its line end; "" when the line is malformed.
async::Task<std::string> master_answer(Context& context, std::string line);

} // namespace auth
