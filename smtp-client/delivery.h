// delivery: the book of one Deliver: which recipients are still open, and what became of the others.
#pragma once

#include "problem.h"
#include "session.h"
#include "spool/agent.h"

#include <string>
#include <vector>

namespace smtp_client {

class Delivery {
public:
    // final: a server that says nothing of DSN is the last one. tables: for smtp_delivery_status_filter.
    Delivery(const spool::Deliver& job, bool final, Tables* tables);

    const spool::Deliver& job;
    spool::Timing timing;

    size_t size() const { return job.recipients.size(); }
    bool open(size_t i) const { return entries_[i].state == State::open; }
    size_t open_count() const { return open_count_; }

    // Delivered: `text` is the server's last word.
    void delivered(size_t i, const Session& session, const smtp::Reply& reply);
    // Final.
    void fail(size_t i, const Session& session, const Problem& problem);
    // A permanent problem is final; with a passing one the recipient stays open for the next host, and has this for its
    // reason if there is none.
    void trouble(size_t i, const Session& session, const Problem& problem);
    void trouble_all_open(const Session& session, const Problem& problem);
    // No session came about. relay: the host that was tried, or "none".
    void unreached(const Problem& problem, const std::string& relay = "none");

    // Before another host is tried: what went wrong with the last one is told now or never.
    void log_postponed();

    // What is still open is deferred (or whatever its last problem says). Writes the rest of the log.
    spool::Done finish();

private:
    enum class State : uint8_t { open, decided };
    struct Entry {
        State state = State::open;
        bool has_problem = false, logged = false;
        Problem problem;
        std::string relay = "none", remote;
        int uses = 1;
    };
    void settle(size_t i, spool::Outcome outcome);
    void note(Entry& entry, const Session& session);
    void filter(spool::Outcome& outcome);

    bool final_;
    Tables* tables_;
    std::vector<Entry> entries_;
    std::vector<spool::Outcome> outcomes_;
    size_t open_count_;
    bool reached_ = false, unreached_ = false; // some host took a command of ours; none did
};

} // namespace smtp_client
