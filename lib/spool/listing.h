// listing: what lies in the queue, for mailq, postqueue and qshape; read from the files, so that it costs no memory of the queue manager.
#pragma once

#include "spool/folders.h"

#include <functional>
#include <string>
#include <vector>

namespace spool {

struct ListedRecipient {
    std::string address, original, reason;
};
struct ListedMessage {
    Queue queue = Queue::incoming;
    std::string id, sender;
    int64_t arrival = 0;            // seconds since 1970
    uint64_t size = 0;              // of the content
    int64_t next_attempt = 0;       // deferred
    bool forced_expiry = false;
    std::vector<ListedRecipient> recipients;    // those that still wait
};

// Every complete message, queue by queue (active, incoming, deferred, hold), to `take`; stops when it returns false. Messages that
// come or go meanwhile may be missed or passed over.
void list_queue(const Folders& folders, const std::function<bool(ListedMessage&&)>& take);
// One message; nothing when there is none such, or it is incomplete.
std::vector<ListedMessage> list_message(const Folders& folders, const Place& place, const std::string& id);

// The line form between the queue manager and postqueue: fields divided by tabs, control characters replaced.
//   M <queue> <id> <arrival> <size> <next_attempt> <forced 0|1> <sender>
//   R <address> <original> <reason>
std::string listing_lines(const ListedMessage& message);
// Reads such lines; a message is complete when the next M or the end comes. Lines of other kinds are passed over.
std::vector<ListedMessage> parse_listing(std::string_view lines);

} // namespace spool
