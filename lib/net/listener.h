// listener: accepting connections, and making them.
#pragma once

#include "net/stream.h"

#include <functional>

namespace net {

// Takes connections from a listening socket (which master may share among several processes) and hands each to `take`. Stops when
// the task is destroyed. While `may_take` says no, connections wait in the kernel's queue.
// With patience, only what is still there after so long: for a process that helps out when the one before it cannot keep up. One busy process
// costs less than two half idle ones, which wake up for every event.
async::Task<> accept_connections(int listening, std::function<void(base::Fd, Address)> take, std::function<bool()> may_take = {},
                                 Limit patience = Limit(0));

// Throws Gone. `from`, when not empty, is the address to bind.
async::Task<Stream> connect(Address to, Limit limit, Address from = {});

// A listening socket, close-on-exec, non-blocking. Throws base::SystemError. For Unix paths the old socket is replaced and mode applied.
base::Fd listen_on(const Address& where, int backlog = 4096, int type = SOCK_STREAM, mode_t mode = 0666);

} // namespace net
