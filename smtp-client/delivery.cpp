#include "delivery.h"

#include "base/log.h"
#include "base/text.h"

#include <algorithm>

namespace smtp_client {

Delivery::Delivery(const spool::Deliver& job, bool final, Tables* tables)
    : job(job), final_(final), tables_(tables), entries_(job.recipients.size()), open_count_(job.recipients.size())
{
    outcomes_.reserve(entries_.size());
}

void Delivery::note(Entry& entry, const Session& session)
{
    reached_ = true;
    unreached_ = false;
    entry.relay = session.host.full_with_port();
    entry.remote = entry.relay;
    entry.uses = session.uses;
}

void Delivery::settle(size_t i, spool::Outcome outcome)
{
    Entry& entry = entries_[i];
    entry.state = State::decided;
    --open_count_;
    outcome.number = job.recipients[i].number;
    outcome.remote = entry.remote;
    filter(outcome);
    spool::log_delivery(job, job.recipients[i], outcome, entry.relay, timing, entry.uses);
    outcomes_.push_back(std::move(outcome));
}

void Delivery::delivered(size_t i, const Session& session, const smtp::Reply& reply)
{
    note(entries_[i], session);
    spool::Outcome outcome;
    outcome.status = spool::Outcome::delivered;
    outcome.dsn = reply.status();
    outcome.text = base::printable(reply.line());
    // RFC 3461 5.2.2: behind a server that knows no DSN the story ends with us.
    if (!session.can.dsn && !final_) outcome.action = "relayed";
    settle(i, std::move(outcome));
}

void Delivery::fail(size_t i, const Session& session, const Problem& problem)
{
    note(entries_[i], session);
    spool::Outcome outcome;
    outcome.status = problem.status;
    outcome.dsn = problem.dsn;
    outcome.text = problem.text;
    settle(i, std::move(outcome));
}

void Delivery::trouble(size_t i, const Session& session, const Problem& problem)
{
    if (problem.permanent()) return fail(i, session, problem);
    Entry& entry = entries_[i];
    note(entry, session);
    entry.problem = problem;
    entry.has_problem = true;
    entry.logged = false;
}

void Delivery::trouble_all_open(const Session& session, const Problem& problem)
{
    for (size_t i = 0; i < size(); ++i)
        if (open(i)) trouble(i, session, problem);
}

void Delivery::unreached(const Problem& problem, const std::string& relay)
{
    unreached_ = !reached_;
    for (auto& entry : entries_) {
        if (entry.state != State::open) continue;
        entry.relay = relay;
        entry.remote = relay == "none" ? std::string() : relay;
        entry.uses = 1;
        entry.problem = problem;
        entry.has_problem = true;
        entry.logged = relay == "none"; // "connect to …" stands in the log already
    }
}

void Delivery::log_postponed()
{
    std::string_view last;
    for (auto& entry : entries_) {
        if (entry.state != State::open || !entry.has_problem || std::exchange(entry.logged, true)) continue;
        if (entry.problem.text != last) base::log::info("{}: {}", job.queue_id, entry.problem.text);
        last = entry.problem.text;
    }
}

// A table may put another code and text in place of ours, but not make a failure of a success, or the other way round.
void Delivery::filter(spool::Outcome& outcome)
{
    if (!tables_ || tables_->status_filter.empty()) return;
    try {
        auto found = tables_->status_filter.find(outcome.dsn + " " + outcome.text);
        if (!found) return;
        size_t length = smtp::enhanced_length(*found);
        bool was_delivered = outcome.status == spool::Outcome::delivered;
        if (length == 0 || was_delivered != (found->front() == '2'))
            return base::log::warning("{}: bad result in a delivery status filter: {}", job.queue_id, *found);
        outcome.dsn = found->substr(0, length);
        outcome.text = base::trim(found->substr(length));
        if (!was_delivered) outcome.status = found->front() == '5' ? spool::Outcome::bounced : spool::Outcome::deferred;
    } catch (const maps::Unavailable& trouble) {
        base::log::warning("{}: {}", job.queue_id, trouble.what());
    }
}

spool::Done Delivery::finish()
{
    for (size_t i = 0; i < size(); ++i) {
        if (!open(i)) continue;
        const Entry& entry = entries_[i];
        spool::Outcome outcome;
        outcome.status = entry.has_problem ? entry.problem.status : spool::Outcome::deferred;
        outcome.dsn = entry.has_problem ? entry.problem.dsn : "4.3.0";
        outcome.text = entry.has_problem ? entry.problem.text : "delivery was not attempted";
        settle(i, std::move(outcome));
    }
    spool::Done done;
    done.job = job.job;
    auto waits = [](const spool::Outcome& each) { return each.status == spool::Outcome::deferred; };
    done.destination_down = unreached_ && std::any_of(outcomes_.begin(), outcomes_.end(), waits);
    done.outcomes = std::move(outcomes_);
    return done;
}

} // namespace smtp_client
