#include "spool/agent.h"

#include "base/log.h"
#include "base/text.h"

namespace spool {
namespace {

// The channel outlives the connection's reader as long as deliveries still answer on it.
struct Connection {
    explicit Connection(ipc::Channel channel) : channel(std::move(channel)) {}
    ipc::Channel channel;
    bool open = true;
};

async::Task<> run_one(std::shared_ptr<Connection> connection, Deliver job, DeliverFunction deliver)
{
    Done done;
    bool failed = false;
    std::string why;
    try {
        done = co_await deliver(job);
    } catch (const std::exception& failure) {
        failed = true;
        why = failure.what();
    }
    if (failed) {
        base::log::warning("{}: delivery failed: {}", job.queue_id, why);
        done = same_for_all(job, Outcome::deferred, "4.3.0", "mail system trouble: " + why, "none", Timing{});
    }
    done.job = job.job;
    base::log::flush();     // what became of the message is in the log before the queue manager's last word on it
    if (connection->open) connection->channel.post(std::move(done));
}

// Postfix: two significant digits, and no more than hundredths; whole seconds from 10 on.
std::string seconds(double value)
{
    if (value < 0) value = 0;
    if (value >= 9.95) return fmt::format("{:.0f}", value);
    std::string text = fmt::format("{:.{}f}", value, value < 0.995 ? 2 : 1);
    while (text.back() == '0') text.pop_back();
    if (text.back() == '.') text.pop_back();
    return text;
}

double since(int64_t from_microseconds, int64_t to_microseconds) { return static_cast<double>(to_microseconds - from_microseconds) / 1e6; }

int64_t microseconds(base::Wall when)
{
    return std::chrono::duration_cast<std::chrono::microseconds>(when.time_since_epoch()).count();
}

constexpr const char* status_words[] = {"sent", "deferred", "bounced", "sent"};

const char* status_word(const Deliver& job, Outcome::Status status)
{
    if (!job.probe) return status_words[status];
    return status == Outcome::delivered || status == Outcome::handed_on ? "deliverable" : "undeliverable";
}

} // namespace

async::Task<> serve_queue_manager(ipc::Channel channel, async::Nursery& nursery, DeliverFunction deliver)
{
    auto connection = std::make_shared<Connection>(std::move(channel));
    try {
        while (true) {
            auto packet = co_await connection->channel.receive();
            if (!packet) break;
            nursery.start(run_one(connection, ipc::unpack<Deliver>(*packet), deliver));
        }
    } catch (const ipc::Malformed& fault) {
        base::log::warning("queue manager: {}", fault.what());
    }
    connection->open = false;
}

void log_delivery(const Deliver& job, const Recipient& recipient, const Outcome& outcome, const std::string& relay, const Timing& timing,
                  int connection_uses, std::string_view program)
{
    int64_t started = microseconds(timing.started), connected = microseconds(timing.connected), now = microseconds(base::wall_now());
    std::string line = fmt::format("{}: to=<{}>, ", job.queue_id, recipient.address);
    if (!recipient.original.empty() && recipient.original != recipient.address) line += fmt::format("orig_to=<{}>, ", recipient.original);
    line += fmt::format("relay={}, ", relay);
    if (connection_uses > 1) line += fmt::format("conn_use={}, ", connection_uses);
    line += fmt::format("delay={}, delays={}/{}/{}/{}, dsn={}, status={} ({})", seconds(since(job.arrival, now)),
                        seconds(since(job.arrival, job.active)), seconds(since(job.active, started)), seconds(since(started, connected)),
                        seconds(since(connected, now)), outcome.dsn, status_word(job, outcome.status), outcome.text);
    if (program.empty())
        base::log::info("{}", line);
    else
        base::log::info_as(program, line);
}

Done same_for_all(const Deliver& job, Outcome::Status status, const std::string& dsn, const std::string& text, const std::string& relay,
                  const Timing& timing)
{
    Done done;
    done.job = job.job;
    for (const auto& recipient : job.recipients) {
        Outcome outcome;
        outcome.number = recipient.number;
        outcome.status = status;
        outcome.dsn = dsn;
        outcome.text = text;
        log_delivery(job, recipient, outcome, relay, timing);
        done.outcomes.push_back(std::move(outcome));
    }
    return done;
}

} // namespace spool
