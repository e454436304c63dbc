// messages: what the queue manager and the programs around it say to each other over lib/ipc. The words, in the order of a message's life:
//
//   a maker of mail (smtpd, local-delivery) → qmgr, on private/qmgr:   Create → Created{descriptor} … Commit or Abandon
//   qmgr → a maker that offered to (smtpd, the letterbox):              Pickup{descriptor} → PickedUp
//   qmgr → a delivery agent, on private/<transport>:                     Deliver{descriptor} → Done
//   smtpd → qmgr, on private/qmgr:                                       Verify → Verified
//   postqueue, mailq, postsuper → qmgr, on public/qmgr and private/qmgr: Command → Answer, Answer …
#pragma once

#include "base/fd.h"

#include <cstdint>
#include <string>
#include <vector>

namespace spool {

// "Make me a queue file." `request` comes back in the answer.
struct Create {
    static constexpr uint16_t type = 1;
    uint64_t request = 0;
    template <class V> void fields(V& v) { v(request); }
};

// The file is empty, open for reading and writing. When the spool has no room: no file, and `problem` says why, as a reply text.
struct Created {
    static constexpr uint16_t type = 2;
    uint64_t request = 0;
    std::string id;
    base::Fd file;
    std::string problem;
    template <class V> void fields(V& v) { v(request, id, file, problem); }
};

// "It is complete and on disk." After this the message is the queue manager's; the maker may say 250.
struct Commit {
    static constexpr uint16_t type = 3;
    std::string id;
    template <class V> void fields(V& v) { v(id); }
};

// "Throw it away."
struct Abandon {
    static constexpr uint16_t type = 4;
    std::string id;
    template <class V> void fields(V& v) { v(id); }
};

// A smtpd that serves the letterbox says so, and is then given what postdrop left in maildrop/: an SMTP dialogue in a file.
struct OfferPickup {
    static constexpr uint16_t type = 5;
    bool ready = true;
    template <class V> void fields(V& v) { v(ready); }
};

struct Pickup {
    static constexpr uint16_t type = 6;
    std::string name;
    uint32_t uid = 0;           // the file's owner: who sent it
    base::Fd file;
    template <class V> void fields(V& v) { v(name, uid, file); }
};

struct PickedUp {
    static constexpr uint16_t type = 7;
    enum Verdict : uint32_t { accepted, try_again, refused };
    std::string name;
    Verdict verdict = try_again;
    std::string text;
    template <class V> void fields(V& v) { v(name, verdict, text); }
};

// "I am about to end: ask my successor, who listens at the same place." What was committed to me is kept; files I gave out may still be
// committed or abandoned; what was asked for and not answered is to be asked again there.
struct Leaving {
    static constexpr uint16_t type = 8;
    bool leaving = true;
    template <class V> void fields(V& v) { v(leaving); }
};

// One recipient of a delivery. `number` names it in the answer.
struct Recipient {
    uint32_t number = 0;
    std::string address;        // where it goes: user@domain
    std::string original;       // as it was given to us, when different; logged as orig_to
    std::string dsn_original;   // RFC 3461 ORCPT, "rfc822;user@domain", or empty
    uint32_t notify = 0;        // RFC 3461 NOTIFY: spool::Notify bits, 0 when not given
    template <class V> void fields(V& v) { v(number, address, original, dsn_original, notify); }
};

enum Notify : uint32_t { notify_never = 1, notify_success = 2, notify_failure = 4, notify_delay = 8 };

// What is known of the content, found while it was read in.
enum ContentFlag : uint32_t {
    content_8bit = 1,           // bytes above 127
    content_dot_lines = 2,      // a line starts with "."
    content_utf8 = 4,           // SMTPUTF8 was asked for (RFC 6531)
    content_long_lines = 8,     // a line longer than 998 bytes (RFC 5322 2.1.1)
    content_no_final_newline = 16,
    content_ours = 32,          // local_header_rewrite_clients: its headers were completed, and are completed again in what is made of it
};

// "Deliver this to these." The content lies in the file at content_offset, with CRLF line ends, not dot-stuffed, headers first.
struct Deliver {
    static constexpr uint16_t type = 10;
    uint64_t job = 0;
    std::string queue_id;
    base::Fd file;
    uint64_t content_offset = 0;
    uint64_t content_length = 0;
    uint32_t content_flags = 0;
    bool probe = false;         // find out whether it could be delivered, and deliver nothing: there is no file and no content
    std::string sender;         // "" is the null sender
    std::string nexthop;        // domain, [host], host:port … as the transport takes it
    std::string envid, ret;     // RFC 3461
    int64_t arrival = 0;        // microseconds since 1970
    int64_t active = 0;         // when it entered the active queue, same unit
    std::string client_name, client_address, client_port, helo, protocol, sasl_method, sasl_sender, sasl_username;
    std::vector<Recipient> recipients;
    template <class V> void fields(V& v)
    {
        v(job, queue_id, file, content_offset, content_length, content_flags, probe, sender, nexthop, envid, ret, arrival, active, client_name,
          client_address, client_port, helo, protocol, sasl_method, sasl_sender, sasl_username, recipients);
    }
};

// What became of one recipient.
struct Outcome {
    enum Status : uint32_t { delivered, deferred, bounced, handed_on };   // handed_on: a new message of ours carries it now (alias, .forward)
    uint32_t number = 0;
    Status status = deferred;
    std::string dsn;            // "2.0.0", "4.4.1", "5.1.1"
    std::string text;           // the last reply or our reason, one line
    std::string remote;         // RFC 3464 Remote-MTA "host[addr]:port", or empty
    std::string action;         // RFC 3464 Action when it is not plain: "relayed", "expanded"
    template <class V> void fields(V& v) { v(number, status, dsn, text, remote, action); }
};

// The answer to Deliver: an outcome for each recipient. `destination_down`: nobody there could be reached, so that other
// mail for the same next hop may wait too.
struct Done {
    static constexpr uint16_t type = 11;
    uint64_t job = 0;
    bool destination_down = false;
    std::vector<Outcome> outcomes;
    template <class V> void fields(V& v) { v(job, destination_down, outcomes); }
};

// "Could mail be delivered to this address?" When nobody knows yet, a probe is made, and `wait` milliseconds are spent on its outcome.
struct Verify {
    static constexpr uint16_t type = 12;
    uint64_t request = 0;
    std::string address;
    uint64_t wait = 0;
    template <class V> void fields(V& v) { v(request, address, wait); }
};

struct Verified {
    static constexpr uint16_t type = 13;
    enum Verdict : uint32_t { deliverable, deferred, undeliverable, in_progress };   // the numbers stand in Postfix's address_verify_map
    uint64_t request = 0;
    Verdict verdict = in_progress;
    std::string text;           // the last reply, or our reason
    template <class V> void fields(V& v) { v(request, verdict, text); }
};

// What people ask of the queue manager: "flush", "flush-site x", "flush-id x", "list", "delete id", "hold id" … (qmgr/commands.cpp).
struct Command {
    static constexpr uint16_t type = 20;
    std::vector<std::string> words;
    template <class V> void fields(V& v) { v(words); }
};

// Lines of the answer, in as many messages as it takes; the last has end set.
struct Answer {
    static constexpr uint16_t type = 21;
    std::string text;
    bool end = false;
    bool failed = false;
    template <class V> void fields(V& v) { v(text, end, failed); }
};

} // namespace spool
