// message: a message while it is active: what is known of it in memory, and what became of each recipient so far.
#pragma once

#include "spool/folders.h"
#include "spool/queue_file.h"

#include <memory>
#include <string>
#include <vector>

namespace qmgr {

struct RecipientState {
    enum State { to_do, in_flight, delivered, deferred, bounced };
    spool::Recipient recipient;
    State state = to_do;
    std::string dsn, text, remote;
    std::string action;             // RFC 3464: delivered, relayed or expanded; empty: who took it over tells the sender
    bool news = false;              // delivered since the message became active, and not told of yet
    int64_t last_attempt = 0;       // seconds since 1970
};

struct Message {
    std::string id;
    spool::Head head;
    spool::Envelope envelope;       // its recipients have moved into `recipients`
    std::vector<RecipientState> recipients;
    spool::Place place;
    uint64_t journal_end = 0;       // where the next record goes
    int64_t active_since = 0;       // microseconds
    size_t open_groups = 0;         // queued or being delivered
    bool forced_expiry = false;     // postsuper -e, or too old
    bool delay_told = false;        // the sender was warned
    bool deleted = false;           // postsuper -d while it was being delivered
    bool hold = false;              // postsuper -h, likewise
    bool probe = false;             // an address is looked at, and no mail: there is no file

    int64_t arrival_seconds() const { return envelope.arrival / 1000000; }
};

// Puts together what the file says: envelope, and the journal's last word on each recipient.
std::unique_ptr<Message> make_message(spool::StoredMessage stored, spool::Place place);

// Some recipients of one message that go to one place together.
struct Group {
    Message* message = nullptr;
    std::vector<uint32_t> recipients;
    std::string nexthop;
};

int64_t now_microseconds();
inline int64_t now_seconds() { return now_microseconds() / 1000000; }

} // namespace qmgr
