// programs: what stands behind the last column of master.cf: which program of ours, and on what kind of socket it is spoken to.
#pragma once

#include "config/master_cf.h"

#include <optional>
#include <string>
#include <string_view>

namespace master {

enum class Wire { stream, packets };            // SOCK_STREAM, SOCK_SEQPACKET
enum class Count { one, each_processor };       // processes that share the listening sockets
enum class When { at_start, at_first_client };
enum class Order { door, owner, worker };       // in which order they stop: doors and owner first, so that workers can finish

struct Program {
    std::string_view command;       // the word in master.cf
    std::string_view executable;    // in daemon_directory; empty: its work is done inside other programs of ours
    Wire wire;
    Count count;
    When when;
    Order order;
    bool counts_clients = false;    // its processes share ipc::ClientCounts
};

// Nothing for a command that neither we nor Postfix know.
const Program* find_program(std::string_view command);

} // namespace master
