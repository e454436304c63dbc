#include "transport.h"

#include "base/log.h"
#include "spool/agent.h"

namespace qmgr {
namespace {

constexpr int failures_before_deferring = 5;
constexpr async::Limit shortest_pause{200};

async::Limit pause_after(int failures) { return shortest_pause * (1 << std::min(failures, 6)); }

} // namespace

TransportLimits read_limits(const config::Config& config, const std::string& transport)
{
    TransportLimits limits;
    limits.processes = config.default_process_limit;
    ConcurrencyRules& concurrency = limits.concurrency;
    concurrency.initial = config.number(transport + "_initial_destination_concurrency");
    concurrency.most = config.number(transport + "_destination_concurrency_limit");
    concurrency.failed_cohorts = static_cast<double>(config.number(transport + "_destination_concurrency_failed_cohort_limit"));
    for (bool positive : {true, false}) {
        std::string name = transport + (positive ? "_destination_concurrency_positive_feedback" : "_destination_concurrency_negative_feedback");
        (positive ? concurrency.positive : concurrency.negative) = parse_feedback(name, config.find(name).value_or("1"));
    }
    limits.destination_rate_delay = config.seconds(transport + "_destination_rate_delay");
    limits.transport_rate_delay = config.seconds(transport + "_transport_rate_delay");
    limits.destination_recipients = config.number(transport + "_destination_recipient_limit");
    limits.dead_destination_pause = config.minimal_backoff_time;
    // A limit of 0 is none; one recipient at a time is what local delivery asks for.
    if (concurrency.most <= 0) concurrency.most = limits.processes;
    if (limits.destination_rate_delay > async::Limit(0)) concurrency.most = 1;
    if (limits.destination_recipients <= 0) limits.destination_recipients = 1000;
    limits.destination_recipients = std::min<int64_t>(limits.destination_recipients, 100);    // a packet holds them all
    concurrency.initial = std::clamp<int64_t>(concurrency.initial, 1, concurrency.most);
    return limits;
}

Transport::Transport(std::string name, std::string socket, TransportLimits limits, async::Nursery& nursery, OpenContent open, Settle settle)
    : name_(std::move(name)), socket_(std::move(socket)), limits_(limits), nursery_(nursery), open_(std::move(open)), settle_(std::move(settle))
{}

void Transport::enqueue(const std::string& name, Group group)
{
    auto& slot = destinations_[name];
    if (!slot) slot = std::make_unique<Destination>(name, limits_.concurrency);
    Destination& destination = *slot;
    if (destination.dead_until && *destination.dead_until > base::steady_now()) {
        settle_all(group, spool::Outcome::deferred, destination.dead_dsn, "delivery temporarily suspended: " + destination.dead_reason, true);
        return;
    }
    if (destination.dead_until) destination.concurrency.start_again(1);    // one to find out
    destination.dead_until.reset();
    destination.push(std::move(group));
    ++queued_;
    take_turn(destination);
    queue_dispatch();
}

void Transport::take_turn(Destination& destination)
{
    if (destination.in_turn || !may_go(destination)) return;
    destination.in_turn = true;
    turns_.push_back(&destination);
}

bool Transport::may_go(const Destination& destination) const
{
    return !destination.empty() && !destination.not_before && destination.in_flight < destination.concurrency.window();
}

void Transport::queue_dispatch()
{
    if (dispatch_queued_) return;
    dispatch_queued_ = true;
    async::loop().post([this] {
        dispatch_queued_ = false;
        dispatch();
    });
}

void Transport::dispatch()
{
    while (!turns_.empty() && static_cast<int64_t>(jobs_.size()) < limits_.processes && !pausing_ && !rate_pause_ && !stopping_) {
        if (!ensure_channel()) return;
        Destination& destination = *turns_.front();
        turns_.pop_front();
        destination.in_turn = false;
        if (!may_go(destination)) continue;
        Group group = destination.pop();
        --queued_;
        bool sent = send(destination, std::move(group));
        if (sent && limits_.transport_rate_delay > async::Limit(0)) nursery_.start(end_transport_delay());
        take_turn(destination);
    }
}

bool Transport::send(Destination& destination, Group group)
{
    Message& message = *group.message;
    spool::Deliver deliver;
    try {
        if (!message.probe) deliver.file = open_(message);
    } catch (const base::SystemError& failure) {
        settle_all(group, spool::Outcome::deferred, "4.3.0", fmt::format("queue file: {}", failure.what()), true);
        return false;
    }
    deliver.job = next_job_++;
    deliver.queue_id = message.id;
    deliver.probe = message.probe;
    deliver.content_offset = message.head.content_offset();
    deliver.content_length = message.head.content_length;
    deliver.content_flags = message.head.content_flags;
    deliver.sender = message.envelope.sender;
    deliver.nexthop = group.nexthop;
    deliver.envid = message.envelope.attribute("envid");
    deliver.ret = message.envelope.attribute("ret");
    deliver.arrival = message.envelope.arrival;
    deliver.active = message.active_since;
    deliver.client_name = message.envelope.attribute("client_name");
    deliver.client_address = message.envelope.attribute("client_address");
    deliver.helo = message.envelope.attribute("helo_name");
    deliver.protocol = message.envelope.attribute("protocol_name");
    deliver.client_port = message.envelope.attribute("client_port");
    deliver.sasl_method = message.envelope.attribute("sasl_method");
    deliver.sasl_sender = message.envelope.attribute("sasl_sender");
    deliver.sasl_username = message.envelope.attribute("sasl_username");
    for (uint32_t number : group.recipients) {
        deliver.recipients.push_back(message.recipients[number].recipient);
        message.recipients[number].state = RecipientState::in_flight;
    }
    uint64_t job = deliver.job;
    jobs_.emplace(job, Job{std::move(group), &destination});
    ++destination.in_flight;
    channel_->post(std::move(deliver));
    return true;
}

bool Transport::ensure_channel()
{
    if (channel_) return true;
    try {
        channel_.emplace(ipc::connect_to(socket_));
    } catch (const base::SystemError& failure) {
        lost_agent(failure.what());
        return false;
    }
    nursery_.start(read_answers());
    return true;
}

async::Task<> Transport::read_answers()
{
    std::string why = "it ended";
    try {
        while (true) {
            auto packet = co_await channel_->receive();
            if (!packet) break;
            take(ipc::unpack<spool::Done>(*packet));
        }
    } catch (const ipc::Malformed& fault) {
        why = fault.what();
    }
    channel_.reset();
    lost_agent(why);
}

void Transport::take(spool::Done done)
{
    auto found = jobs_.find(done.job);
    if (found == jobs_.end()) return;
    failures_ = 0;
    Job job = std::move(found->second);
    jobs_.erase(found);
    --job.destination->in_flight;
    if (limits_.destination_rate_delay > async::Limit(0)) nursery_.start(end_rate_delay(job.destination->name));
    learn(*job.destination, done);
    settle_(job.group, done);
    take_turn(*job.destination);
    queue_dispatch();
}

void Transport::learn(Destination& destination, const spool::Done& done)
{
    if (!done.destination_down)
        destination.concurrency.succeeded(destination.in_flight);
    else if (destination.concurrency.failed(destination.in_flight))
        suspend(destination, done);
}

void Transport::suspend(Destination& destination, const spool::Done& done)
{
    destination.dead_until = base::steady_now() + limits_.dead_destination_pause;
    destination.concurrency.start_again(1);
    destination.dead_reason = done.outcomes.empty() ? "destination is not reachable" : done.outcomes.front().text;
    destination.dead_dsn = done.outcomes.empty() ? "4.4.1" : done.outcomes.front().dsn;
    defer_waiting(destination, destination.dead_dsn, "delivery temporarily suspended: " + destination.dead_reason);
}

void Transport::defer_waiting(Destination& destination, const std::string& dsn, const std::string& text)
{
    auto waiting = destination.take_all();
    queued_ -= waiting.size();
    for (Group& group : waiting) settle_all(group, spool::Outcome::deferred, dsn, text, true);
}

async::Task<> Transport::end_rate_delay(std::string name)
{
    Destination& destination = *destinations_.at(name);
    destination.not_before = base::steady_now() + limits_.destination_rate_delay;
    co_await async::sleep(limits_.destination_rate_delay);
    destination.not_before.reset();
    take_turn(destination);
    queue_dispatch();
}

async::Task<> Transport::end_transport_delay()
{
    rate_pause_ = true;
    co_await async::sleep(limits_.transport_rate_delay);
    rate_pause_ = false;
    dispatch();
}

// The agent is gone: what it had in hand goes back in the queue. If it does not come back, all that waits for it is deferred.
void Transport::lost_agent(const std::string& why)
{
    ++failures_;
    if (!jobs_.empty() || failures_ > 1) base::log::warning("transport {}: {}: {}", name_, socket_, why);
    auto jobs = std::move(jobs_);
    jobs_.clear();
    for (auto& [number, job] : jobs) {
        --job.destination->in_flight;
        for (uint32_t recipient : job.group.recipients) job.group.message->recipients[recipient].state = RecipientState::to_do;
        job.destination->push_front(std::move(job.group));
        ++queued_;
        take_turn(*job.destination);
    }
    if (queued_ == 0) return;
    if (failures_ >= failures_before_deferring) {
        for (auto& [name, destination] : destinations_) defer_waiting(*destination, "4.3.0", fmt::format("mail transport unavailable: {}", name_));
        return;
    }
    if (!pausing_) nursery_.start(try_again_later());
}

async::Task<> Transport::try_again_later()
{
    pausing_ = true;
    co_await async::sleep(pause_after(failures_));
    pausing_ = false;
    dispatch();
}

void Transport::settle_all(Group& group, spool::Outcome::Status status, const std::string& dsn, const std::string& text, bool log)
{
    spool::Done done;
    spool::Deliver job;
    job.queue_id = group.message->id;
    job.probe = group.message->probe;
    job.arrival = group.message->envelope.arrival;
    job.active = group.message->active_since;
    for (uint32_t number : group.recipients) {
        spool::Outcome outcome;
        outcome.number = number;
        outcome.status = status;
        outcome.dsn = dsn;
        outcome.text = text;
        if (log) spool::log_delivery(job, group.message->recipients[number].recipient, outcome, "none", spool::Timing{}, 1, "error");
        done.outcomes.push_back(std::move(outcome));
    }
    settle_(group, done);
}

size_t Transport::withdraw(const Message& message)
{
    size_t withdrawn = 0;
    for (auto& [name, destination] : destinations_) withdrawn += destination->withdraw(message);
    queued_ -= withdrawn;
    return withdrawn;
}

void Transport::forget_dead_destinations()
{
    for (auto& [name, destination] : destinations_) {
        destination->dead_until.reset();
        destination->concurrency.start_again(std::max(destination->concurrency.window(), limits_.concurrency.initial));
    }
}

} // namespace qmgr
