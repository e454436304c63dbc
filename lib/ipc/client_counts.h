// client_counts: what each client asked of a service lately, counted over all its processes in memory that they share: Postfix's anvil.
//
// Master makes the memory and hands its descriptor to each process; it never looks inside. There are fixed places for some thousand clients. A
// robust mutex guards them, so that a process that dies while it holds it stops nobody; connections are counted for each process apart, so that
// what a dead one had open is forgotten when the next one starts.
#pragma once

#include "base/fd.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ipc {

enum class ClientEvent { connection, message, recipient, new_tls, auth };

class ClientCounts {
public:
    // The shared memory, zeroed and ready. Throws base::SystemError.
    static base::Fd make();
    // Empty: memory of this process alone. Throws base::SystemError.
    explicit ClientCounts(base::Fd shared = {});
    ~ClientCounts();
    ClientCounts(const ClientCounts&) = delete;
    ClientCounts& operator=(const ClientCounts&) = delete;

    struct Connections {
        int64_t open = 0;       // at this moment, with the new one
        int64_t rate = 0;       // of the last unit
    };
    // who: "smtp:192.0.2.1". When there is no room for one more client it is not counted: 0.
    Connections connect(std::string_view who, std::chrono::seconds unit);
    void disconnect(std::string_view who);
    // Counts one more, and returns how many that makes within the unit.
    int64_t add(std::string_view who, ClientEvent event, std::chrono::seconds unit);
    // How many there were so far.
    int64_t rate(std::string_view who, ClientEvent event, std::chrono::seconds unit);

    // anvil_status_update_time: the extremes since the last report as anvil logs them, then forgotten. Nothing when another process
    // reported less than `interval` ago.
    std::vector<std::string> report(std::chrono::seconds interval, std::chrono::seconds unit);

private:
    struct Table;
    struct Slot;
    struct Extreme;
    class Locked;
    Slot* find(std::string_view who, int64_t now);
    int64_t count(Slot& slot, ClientEvent event, int64_t now, std::chrono::seconds unit);
    static void note(Extreme& extreme, int64_t value, std::string_view who);

    Table* table_ = nullptr;
    size_t place_ = 0;          // whose connections are ours
};

} // namespace ipc
