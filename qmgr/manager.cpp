#include "manager.h"

#include "notices/notices.h"

#include "async/offload.h"
#include "base/log.h"
#include "base/text.h"
#include "mail/address.h"
#include "maps/map.h"
#include "spool/agent.h"
#include "smtp/reply.h"
#include "spool/queue_id.h"

#include <sys/statvfs.h>
#include <unistd.h>

namespace qmgr {
namespace {

constexpr uint64_t id_numbers = 51 * 51;
constexpr int64_t due_granularity = 64;     // seconds: the coarsest that retries are gathered in one folder

// A slip in the texts is no reason to tell nobody.
config::NoticeTemplates notice_templates(const config::Config& config)
{
    try {
        auto templates = config::load_notice_templates(config);
        for (const auto* one : {&templates.failure, &templates.delay, &templates.success, &templates.verify}) config::expand_notice(one->body, config);
        return templates;
    } catch (const config::Error& slip) {
        base::log::warning("{}: the default notices are sent", slip.what());
        return config::default_notice_templates();
    }
}

// ADDRESS_VERIFICATION_README of Postfix: probes may go another way than mail does.
config::Config for_probes(config::Config config)
{
    config.local_transport = config.address_verify_local_transport;
    config.virtual_transport = config.address_verify_virtual_transport;
    config.relay_transport = config.address_verify_relay_transport;
    config.default_transport = config.address_verify_default_transport;
    config.relayhost = config.address_verify_relayhost;
    config.transport_maps = config.address_verify_transport_maps;
    config.sender_dependent_relayhost_maps = config.address_verify_sender_dependent_relayhost_maps;
    config.sender_dependent_default_transport_maps = config.address_verify_sender_dependent_default_transport_maps;
    return config;
}

RetryRules retry_rules(const config::Config& config)
{
    try {
        return RetryRules::load(config);
    } catch (const config::Error& slip) {
        base::log::warning("{}: retry_rules are not used", slip.what());
        return {};
    }
}

} // namespace

Manager::Manager(const config::Config& config, async::Nursery& nursery)
    : config_(config), nursery_(nursery), probe_config_(for_probes(config)), folders_(config.queue_directory), router_(config),
      probe_router_(probe_config_), intake_rules_(config, router_),
      notice_templates_(qmgr::notice_templates(config)), retry_rules_(qmgr::retry_rules(config))
{
    folders_.make();
}

std::string Manager::make_id()
{
    last_id_time_ = std::max(now_microseconds(), last_id_time_ + 1);
    return spool::make_queue_id(last_id_time_, static_cast<uint64_t>(::getpid()) % id_numbers);
}

Manager::NewFile Manager::create()
{
    for (int tries = 0;; ++tries) {
        std::string id = make_id();
        try {
            base::Fd fd = folders_.create(id);
            return {std::move(id), std::move(fd)};
        } catch (const base::SystemError& failure) {
            if (failure.code() != EEXIST || tries > 1000) throw;
        }
    }
}

bool Manager::has_room()
{
    auto now = base::steady_now();
    if (now - room_checked_ < std::chrono::seconds(1)) return room_;
    room_checked_ = now;
    struct statvfs info;
    if (::statvfs(config_.queue_directory.c_str(), &info) != 0) return room_ = true;
    auto free_bytes = static_cast<int64_t>(info.f_bavail) * static_cast<int64_t>(info.f_frsize);
    // As Postfix: one and a half messages of the largest size must fit.
    int64_t needed = std::max<int64_t>(config_.queue_minfree, 0);
    room_ = free_bytes > needed && free_bytes > 64 << 10 && (info.f_files == 0 || info.f_favail > 16);
    return room_;
}

bool Manager::full() const { return static_cast<int64_t>(active_.size()) >= config_.qmgr_message_active_limit; }

void Manager::accept(const std::string& id, base::Fd fd)
{
    if (full()) {
        // As many again are remembered; what is beyond is found by its file when there is room.
        if (static_cast<int64_t>(waiting_.size()) >= config_.qmgr_message_active_limit)
            left_behind_ = true;
        else if (waiting_ids_.insert(id).second)
            waiting_.push_back(id);
        return;
    }
    activate({spool::Queue::incoming}, id, std::move(fd));
}

void Manager::admit_waiting()
{
    while (!full() && !waiting_.empty()) {
        std::string id = std::move(waiting_.front());
        waiting_.pop_front();
        waiting_ids_.erase(id);
        activate({spool::Queue::incoming}, id);
    }
    if (full()) return;
    room_again.set();
    if (std::exchange(left_behind_, false)) look_again.set();
}

void Manager::set_aside(const spool::Place& place, const std::string& id, const std::string& why)
{
    base::log::warning("{}: {}: moved to the corrupt queue", id, why);
    try {
        folders_.move(place, {spool::Queue::corrupt}, id);
    } catch (const base::SystemError& failure) {
        base::log::error("{}: {}", id, failure.what());
    }
}

bool Manager::activate(const spool::Place& place, const std::string& id, base::Fd fd, bool check_content)
{
    if (active_.count(id)) return true;
    try {
        if (!fd) fd = folders_.open(place, id);
        auto stored = spool::read_message(fd.get(), id, check_content);
        if (stored.envelope.id != id) throw spool::Damaged("named " + stored.envelope.id + " inside");
        auto message = make_message(std::move(stored), place);
        // HOLD, once: whoever releases it wants it delivered.
        if (place.queue == spool::Queue::incoming && message->envelope.attribute("hold") == "yes") {
            folders_.move(place, {spool::Queue::hold}, id);
            return true;
        }
        message->active_since = now_microseconds();
        spool::Place target{spool::Queue::active};
        if (!(place == target)) folders_.move(place, target, id);
        message->place = target;
        Message& admitted = *message;
        active_[id] = std::move(message);
        base::log::info("{}: from=<{}>, size={}, nrcpt={} (queue active)", id, admitted.envelope.sender, admitted.head.content_length,
                        admitted.recipients.size());
        schedule(admitted);
        return true;
    } catch (const spool::Damaged& damage) {
        set_aside(place, id, damage.what());
    } catch (const base::SystemError& failure) {
        if (failure.code() != ENOENT) base::log::error("{}: {}", id, failure.what());
    }
    return false;
}

Transport& Manager::transport(const std::string& name)
{
    auto& slot = transports_[name];
    if (!slot) {
        auto open = [this](const Message& message) { return folders_.open_to_read(message.place, message.id); };
        auto settle = [this](Group& group, const spool::Done& done) { this->settle(group, done); };
        slot = std::make_unique<Transport>(name, config_.queue_directory + "/private/" + name, read_limits(config_, name), nursery_, open,
                                           settle);
        if (at_rest_) slot->stop_dispatching();
    }
    return *slot;
}

// A message that is to be filtered goes to the filter as a whole (FILTER_README of Postfix): "transport:nexthop".
routing::Route Manager::route_of(const Message& message, const std::string& recipient)
{
    if (message.probe) return probe_router_.route(recipient, message.envelope.sender);
    std::string filter = message.envelope.attribute("content_filter");
    if (filter.empty()) return router_.route(recipient, message.envelope.sender);
    auto cut = base::cut(filter, ':');
    routing::Route route;
    route.transport = cut.before;
    route.nexthop = cut.after.empty() ? config_.default_filter_nexthop : std::string(cut.after);
    if (route.nexthop.empty()) route.nexthop = base::lower(mail::split_address(recipient).domain);
    return route;
}

// Nobody reads what answers our notices for the postmaster, or our probes.
bool Manager::is_double_bounce(const routing::Route& route) const
{
    return route.address_class == routing::AddressClass::local &&
           base::same_word(mail::split_address(route.recipient).local, config_.double_bounce_sender);
}

namespace {

routing::Route double_bounce_route()
{
    routing::Route route;
    route.transport = "discard";
    route.nexthop = "undeliverable postmaster notification discarded";
    return route;
}

} // namespace

void Manager::schedule(Message& message)
{
    ++message.open_groups;    // held until all recipients are placed, so that nothing concludes half-way
    std::map<std::tuple<std::string, std::string, std::string>, Group> groups;
    for (uint32_t number = 0; number < message.recipients.size(); ++number) {
        RecipientState& state = message.recipients[number];
        if (state.state == RecipientState::delivered || state.state == RecipientState::bounced) continue;
        try {
            routing::Route route = route_of(message, state.recipient.address);
            if (is_double_bounce(route)) route = double_bounce_route();
            if (deliver_here(route.transport, route.nexthop, message, number)) continue;
            Transport& agent = transport(route.transport);
            bool alone = agent.limits().destination_recipients == 1;
            auto key = std::make_tuple(route.transport, alone ? state.recipient.address : route.nexthop, route.nexthop);
            Group& group = groups[key];
            group.message = &message;
            group.nexthop = route.nexthop;
            group.recipients.push_back(number);
            if (static_cast<int64_t>(group.recipients.size()) < agent.limits().destination_recipients) continue;
            ++message.open_groups;
            agent.enqueue(std::get<1>(key), std::move(group));
            groups.erase(key);
        } catch (const maps::Unavailable& trouble) {
            defer_unroutable(message, number, trouble.what());
        } catch (const config::Error& trouble) {
            defer_unroutable(message, number, trouble.what());
        }
    }
    for (auto& [key, group] : groups) {
        ++message.open_groups;
        transport(std::get<0>(key)).enqueue(std::get<1>(key), std::move(group));
    }
    group_done(message);
}

namespace {

void log_own(const Message& message, const spool::Recipient& recipient, const spool::Outcome& outcome, std::string_view program)
{
    spool::Deliver job;
    job.queue_id = message.id;
    job.probe = message.probe;
    job.arrival = message.envelope.arrival;
    job.active = message.active_since;
    spool::log_delivery(job, recipient, outcome, "none", spool::Timing{}, 1, program);
}

} // namespace

void Manager::defer_unroutable(Message& message, uint32_t number, const std::string& why)
{
    spool::Outcome outcome;
    outcome.number = number;
    outcome.dsn = "4.3.0";
    outcome.text = why;
    log_own(message, message.recipients[number].recipient, outcome, "error");
    settle_one(message, outcome);
}

// The transports that need no agent: error, retry and discard. Next hop "5.1.1 text", or text alone.
bool Manager::deliver_here(const std::string& transport, const std::string& nexthop, Message& message, uint32_t number)
{
    spool::Outcome outcome;
    outcome.number = number;
    if (transport == "error") outcome.status = spool::Outcome::bounced;
    else if (transport == "retry") outcome.status = spool::Outcome::deferred;
    else if (transport == "discard") outcome.status = spool::Outcome::delivered;
    else return false;
    auto reply = smtp::Reply::parse((transport == "error" ? "550 " : transport == "retry" ? "450 " : "250 ") + nexthop);
    outcome.dsn = reply ? reply->status() : transport == "error" ? "5.0.0" : transport == "retry" ? "4.0.0" : "2.0.0";
    outcome.text = reply && !reply->text.empty() ? reply->text : transport == "discard" ? "Discarded" : "mail to this address is not delivered";
    if (transport == "discard") outcome.action = "delivered";
    log_own(message, message.recipients[number].recipient, outcome, transport == "retry" ? "error" : transport);
    settle_one(message, outcome);
    return true;
}

void Manager::settle_one(Message& message, const spool::Outcome& outcome)
{
    if (outcome.number >= message.recipients.size()) return;
    RecipientState& state = message.recipients[outcome.number];
    if (state.state == RecipientState::delivered || state.state == RecipientState::bounced) return;
    switch (outcome.status) {
    case spool::Outcome::delivered:
    case spool::Outcome::handed_on: state.state = RecipientState::delivered; break;
    case spool::Outcome::bounced: state.state = config_.soft_bounce ? RecipientState::deferred : RecipientState::bounced; break;
    default: state.state = RecipientState::deferred;
    }
    state.dsn = outcome.dsn;
    state.text = outcome.text;
    state.remote = outcome.remote;
    state.action = outcome.action;
    state.news = state.state == RecipientState::delivered;
    state.last_attempt = now_seconds();
}

void Manager::settle(Group& group, const spool::Done& done)
{
    Message& message = *group.message;
    for (const auto& outcome : done.outcomes)
        if (std::find(group.recipients.begin(), group.recipients.end(), outcome.number) != group.recipients.end()) settle_one(message, outcome);
    for (uint32_t number : group.recipients) {
        RecipientState& state = message.recipients[number];
        if (state.state != RecipientState::in_flight && state.state != RecipientState::to_do) continue;
        state.state = RecipientState::deferred;
        state.dsn = "4.3.0";
        state.text = "delivery agent gave no answer for this recipient";
    }
    group_done(message);
}

void Manager::group_done(Message& message)
{
    if (--message.open_groups == 0) finish(message);
}

bool Manager::expired(const Message& message) const
{
    auto lifetime = message.envelope.sender.empty() ? config_.bounce_queue_lifetime : config_.maximal_queue_lifetime;
    return message.forced_expiry ||
           now_seconds() - message.arrival_seconds() >= std::chrono::duration_cast<std::chrono::seconds>(lifetime).count();
}

void Manager::expire_deferred(Message& message)
{
    bool any = false;
    for (auto& state : message.recipients) {
        if (state.state != RecipientState::deferred) continue;
        state.state = RecipientState::bounced;
        any = true;
    }
    if (any)
        base::log::info("{}: from=<{}>, status={}, returned to sender", message.id, message.envelope.sender,
                        message.forced_expiry ? "force-expired" : "expired");
}

void Manager::probe(const std::string& sender, spool::Recipient recipient, Told told)
{
    std::string id = make_id();
    Probe& probe = probes_[id];
    probe.message = std::make_unique<Message>();
    probe.told = std::move(told);
    Message& message = *probe.message;
    message.id = id;
    message.probe = true;
    message.envelope.sender = sender;
    message.envelope.arrival = message.active_since = now_microseconds();
    message.recipients.emplace_back();
    message.recipients.back().recipient = std::move(recipient);
    base::log::info("{}: from=<{}>, size=0, nrcpt=1 (queue active)", id, sender);
    schedule(message);
}

// The transports still look at the message when they settle it.
void Manager::finish_probe(Message& message)
{
    async::loop().post([this, id = message.id] {
        auto node = probes_.extract(id);
        if (node.empty()) return;
        base::log::info("{}: removed", id);
        node.mapped().told(node.mapped().message->recipients.front());
    });
}

void Manager::give_up_by_rules(Message& message)
{
    int64_t age = now_seconds() - message.arrival_seconds();
    for (auto& state : message.recipients) {
        if (state.state != RecipientState::deferred) continue;
        const RetryRule* rule = retry_rules_.find(state.recipient.address, state.dsn, state.text);
        if (!rule || next_interval(*rule, age)) continue;
        state.state = RecipientState::bounced;
        base::log::info("{}: to=<{}>, status=expired, the intervals of retry_rules are over", message.id, state.recipient.address);
    }
}

void Manager::finish(Message& message)
{
    if (message.probe) {
        finish_probe(message);
        return;
    }
    if (message.deleted) {
        drop(message);
        return;
    }
    if (expired(message)) expire_deferred(message);
    if (!retry_rules_.empty()) give_up_by_rules(message);
    if (!notice_is_due(config_, message)) {
        conclude(message);
        return;
    }
    ++message.open_groups;    // the notice is being written
    nursery_.start(finish_with_notice(message));
}

// The failures are told first, durably; only then are they settled. If that cannot be, they are tried again later.
async::Task<> Manager::finish_with_notice(Message& message)
{
    std::string trouble;
    try {
        co_await send_notices(*this, message);
    } catch (const std::exception& failure) {
        trouble = failure.what();
    }
    --message.open_groups;
    for (auto& state : message.recipients) {
        if (state.state != RecipientState::bounced) continue;
        state.state = trouble.empty() ? RecipientState::delivered : RecipientState::deferred;
    }
    if (!trouble.empty())
        base::log::warning("{}: notification to the sender could not be written: {}", message.id, trouble);
    conclude(message);
}

void Manager::conclude(Message& message)
{
    // Failures that were told of are settled, as deliveries are.
    bool waiting = std::any_of(message.recipients.begin(), message.recipients.end(),
                               [](const auto& state) { return state.state != RecipientState::delivered; });
    if (waiting && !message.deleted)
        defer(message);
    else
        drop(message);
}

void Manager::append(Message& message, const std::vector<spool::Event>& events)
{
    std::string bytes;
    for (const auto& event : events) bytes += spool::write_event(event);
    base::Fd fd = folders_.open(message.place, message.id);
    base::pwrite_all(fd.get(), bytes, static_cast<off_t>(message.journal_end), message.id);
    message.journal_end += bytes.size();
}

// The soonest that any of its recipients asks for; `otherwise` is for those without a rule.
static int64_t delay_by_rules(const RetryRules& rules, const Message& message, int64_t age, int64_t otherwise)
{
    std::optional<int64_t> soonest;
    for (const auto& state : message.recipients) {
        if (state.state != RecipientState::deferred) continue;
        const RetryRule* rule = rules.find(state.recipient.address, state.dsn, state.text);
        int64_t delay = rule ? next_interval(*rule, age).value_or(otherwise) : otherwise;
        soonest = std::min(soonest.value_or(delay), delay);
    }
    return soonest.value_or(otherwise);
}

// Postfix: as long as the message is old, within bounds; which doubles the time from try to try.
int64_t Manager::next_attempt(const Message& message) const
{
    int64_t age = now_seconds() - message.arrival_seconds();
    int64_t least = std::chrono::duration_cast<std::chrono::seconds>(config_.minimal_backoff_time).count();
    int64_t most = std::chrono::duration_cast<std::chrono::seconds>(config_.maximal_backoff_time).count();
    int64_t delay = std::clamp<int64_t>(age, least, std::max(least, most));
    if (!retry_rules_.empty()) delay = delay_by_rules(retry_rules_, message, age, delay);
    int64_t grain = std::clamp<int64_t>(delay / 8, 1, due_granularity);
    return (now_seconds() + delay + grain - 1) / grain * grain;
}

void Manager::defer(Message& message)
{
    int64_t when = next_attempt(message);
    std::vector<spool::Event> events;
    for (uint32_t number = 0; number < message.recipients.size(); ++number) {
        const RecipientState& state = message.recipients[number];
        auto type = state.state == RecipientState::delivered ? spool::RecordType::delivered : spool::RecordType::deferred;
        events.push_back({type, number, state.last_attempt, state.dsn, state.text, state.remote});
    }
    if (message.delay_told) events.push_back({spool::RecordType::delay_told, 0, now_seconds(), "", "", ""});
    events.push_back({spool::RecordType::next_attempt, 0, when, "", "", ""});
    spool::Place target = message.hold ? spool::Place{spool::Queue::hold} : spool::Place{spool::Queue::deferred, when};
    std::string id = message.id;
    try {
        append(message, events);
        folders_.move(message.place, target, id);
    } catch (const base::SystemError& failure) {
        // A full disk. The message stays where it is, whole, and is tried again when its time has come.
        base::log::error("{}: {}", id, failure.what());
        nursery_.start(schedule_later(id));
        return;
    }
    active_.erase(id);
    if (target.queue == spool::Queue::deferred && on_deferred) on_deferred(when);
    admit_waiting();
}

void Manager::drop(Message& message)
{
    removed_later(message.place, message.id);
    base::log::info("{}: removed", message.id);
    active_.erase(std::string(message.id));
    admit_waiting();
}

// Removing costs a journal entry of the file system and may wait for it: gathered, and done on a thread.
void Manager::removed_later(const spool::Place& place, const std::string& id)
{
    to_remove_.push_back(folders_.path(place, id));
    if (removal_queued_) return;
    removal_queued_ = true;
    async::loop().post([this] {
        removal_queued_ = false;
        auto paths = std::move(to_remove_);
        to_remove_.clear();
        nursery_.start(remove_files(std::move(paths)));
    });
}

async::Task<> Manager::remove_files(std::vector<std::string> paths)
{
    auto work = [paths = std::move(paths)] {
        for (const auto& path : paths) ::unlink(path.c_str());
    };
    co_await async::offload(std::move(work));
}

async::Task<> Manager::schedule_later(std::string id)
{
    co_await async::sleep(config_.minimal_backoff_time);
    auto found = active_.find(id);
    if (found != active_.end()) schedule(*found->second);
}

void Manager::stop_dispatching()
{
    at_rest_ = true;
    for (auto& [name, transport] : transports_) transport->stop_dispatching();
}

bool Manager::delivering() const
{
    return removal_queued_ || std::any_of(transports_.begin(), transports_.end(), [](const auto& entry) { return entry.second->in_flight() > 0; });
}

} // namespace qmgr
