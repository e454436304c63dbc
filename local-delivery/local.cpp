#include "local.h"

#include "async/offload.h"
#include "base/log.h"
#include "base/text.h"
#include "content.h"
#include "expansion.h"
#include "forward.h"
#include "mail/address.h"
#include "pass.h"
#include "probe.h"
#include "store/location.h"

#include <fmt/format.h>

#include <sys/stat.h>

#include <iterator>

namespace local_delivery {
namespace {

Identity person(const sandbox::User& user) { return {user.uid, user.gid, true, true, {}}; }

// Whose rights it takes to write an mbox or Maildir in mail_spool_directory: the user's where anybody may write, with the folder's group
// where that may, else root's.
Identity spool_identity(const config::Config& config, const sandbox::User& user)
{
    struct stat info{};
    if (::stat(config.mail_spool_directory.c_str(), &info) != 0 || (info.st_mode & S_IWOTH)) return person(user);
    if (info.st_mode & S_IWGRP) return {user.uid, info.st_gid, false, false, {}};
    return {0, 0, false, false, {}};
}

std::string transport_for(maps::Maps& tables, const std::string& one, const Parts& parts)
{
    if (auto found = tables.find(parts.user)) return *found;
    return one;
}

std::string mailbox_command(Agent& agent, const Parts& parts)
{
    if (auto found = agent.mailbox_commands.find(parts.user)) return *found;
    return agent.config.mailbox_command;
}

// One recipient of a job: the world that its expansion sees, and what is then done.
class Delivery final : public World {
public:
    Delivery(Agent& agent, const spool::Deliver& job, const spool::Recipient& recipient) : agent_(agent), job_(job), recipient_(recipient) {}

    async::Task<spool::Outcome> run();

    std::optional<Alias> find_alias(const std::string& name) override { return agent_.aliases.find(name); }
    async::Task<std::optional<sandbox::User>> find_user(std::string name) override { return agent_.users.find(std::move(name)); }
    async::Task<std::optional<sandbox::User>> find_user(uid_t uid) override { return agent_.users.find(uid); }
    async::Task<bool> was_delivered_to(std::string address) override;
    Resolved resolve(const std::string& address, const std::string& sender) override;
    async::Task<Answer> visit(sandbox::User user, Parts parts, std::vector<ForwardPath> paths, bool deliver) override;
    async::Task<Answer> read_include(std::optional<sandbox::User> as, std::string path) override;
    std::string mailbox_transport(const Parts& parts) override;
    std::string fallback_transport(const Parts& parts) override;
    bool simple_mailbox(const Parts& parts) override;

private:
    async::Task<> carry_out(std::vector<Leaf>& leaves);
    async::Task<> carry_out(Leaf& leaf);
    async::Task<Report> put_into_mailbox(const Leaf& leaf);
    async::Task<Report> run_or_write(Order::Kind kind, const Leaf& leaf, std::string target, std::optional<sandbox::User> rights, bool mailbox);
    async::Task<std::optional<Report>> obey_dot_qmail(const Leaf& leaf);
    void set_mailbox(Order& order, const sandbox::User& user, const Identity& who);
    std::string header_for(const Leaf& leaf, bool delivered_to) const;
    void log(const Leaf& leaf) const;

    Agent& agent_;
    const spool::Deliver& job_;
    const spool::Recipient& recipient_;
    spool::Timing timing_;
    std::optional<std::string> beginning_;      // of the content, once somebody asked
    std::vector<Leaf> further_;                 // what .qmail files forward
};

async::Task<bool> Delivery::was_delivered_to(std::string address)
{
    if (!beginning_) {
        auto read = [fd = job_.file.duplicate(), offset = job_.content_offset, length = job_.content_length, id = job_.queue_id] {
            Content content(fd.get(), offset, length, id);
            return std::string(content.beginning());
        };
        beginning_ = co_await async::offload(std::move(read));
    }
    co_return local_delivery::was_delivered_to(*beginning_, address);
}

World::Resolved Delivery::resolve(const std::string& address, const std::string& sender)
{
    Resolved resolved;
    if (base::trim(address).empty()) return resolved;
    routing::Route route = agent_.router.route(agent_.router.rewrite(address), sender);
    resolved.address = route.recipient;
    resolved.local = route.transport == agent_.service;
    return resolved;
}

std::string Delivery::mailbox_transport(const Parts& parts)
{
    return transport_for(agent_.mailbox_transports, agent_.config.mailbox_transport, parts);
}

std::string Delivery::fallback_transport(const Parts& parts)
{
    return transport_for(agent_.fallback_transports, agent_.config.fallback_transport, parts);
}

bool Delivery::simple_mailbox(const Parts& parts)
{
    // A mailbox in the spool folder may need other rights than the user's .forward file.
    return !agent_.config.home_mailbox.empty() && !agent_.config.qmail_files && mailbox_command(agent_, parts).empty();
}

std::string Delivery::header_for(const Leaf& leaf, bool delivered_to) const
{
    const std::string& address = agent_.config.frozen_delivered_to ? recipient_.address : leaf.recipient;
    return delivery_header(leaf.sender, recipient_, delivered_to ? address : "", agent_.config);
}

void Delivery::set_mailbox(Order& order, const sandbox::User& user, const Identity& who)
{
    const config::Config& config = agent_.config;
    auto place = store::postfix_mailbox(config.home_mailbox, config.mail_spool_directory, {user.name, user.home});
    order.path = place.path + (place.format == store::Format::maildir ? "/" : "");
    order.user = user.name;
    order.size_limit = static_cast<uint64_t>(config.mailbox_size_limit);
    order.biff = config.biff && place.format == store::Format::mbox;
    if (config.require_home_directory) order.home = user.home;
    if (config.strict_mailbox_ownership || who.uid != user.uid) order.owner = user.uid;
}

async::Task<Answer> Delivery::visit(sandbox::User user, Parts parts, std::vector<ForwardPath> paths, bool deliver)
{
    Order order = order_for(job_, deliver ? Order::visit : Order::read_forward);
    for (auto& path : paths) order.forward_paths.push_back(std::move(path.path));
    if (agent_.config.require_home_directory) order.home = user.home;
    if (deliver) {
        Leaf leaf;
        leaf.recipient = parts.address;
        leaf.sender = job_.sender;
        order.header = header_for(leaf, true);
        order.loop_address = parts.address;
        set_mailbox(order, user, person(user));
    }
    return agent_.workers.ask(person(user), std::move(order));
}

async::Task<Answer> Delivery::read_include(std::optional<sandbox::User> as, std::string path)
{
    Order order = order_for(job_, Order::read_include);
    order.path = std::move(path);
    Identity who = as ? person(*as) : Identity{::geteuid(), ::getegid(), false, false, {}};
    return agent_.workers.ask(who, std::move(order));
}

async::Task<Report> Delivery::run_or_write(Order::Kind kind, const Leaf& leaf, std::string target, std::optional<sandbox::User> rights, bool mailbox)
{
    const config::Config& config = agent_.config;
    bool known = rights.has_value();
    // Without root there is nobody but ourselves.
    if (!rights && !agent_.change_user) rights = co_await agent_.users.find(::geteuid());
    if (!rights) rights = co_await agent_.users.find(config.default_privs);
    if (!rights || (rights->uid == 0 && agent_.change_user)) co_return deferred("4.3.5", "default_privs: no such user, or root");
    Order order = order_for(job_, kind);
    order.path = std::move(target);
    order.sender = leaf.sender;
    order.user = rights->name;
    order.size_limit = static_cast<uint64_t>(config.mailbox_size_limit);
    Identity who = person(*rights);
    who.supplementary = known;
    if (kind == Order::command) {
        Parts parts = parts_of(leaf.recipient, config);
        const sandbox::User* user = known ? &*rights : nullptr;
        order.environment = environment(config, job_, recipient_, leaf.sender, parts, user);
        order.folder = fill_in(config.command_execution_directory, parts, user, config.execution_directory_expansion_filter);
    }
    order.header = header_for(leaf, prepends_delivered_to(config, kind == Order::command ? "command" : "file") || mailbox);
    Answer answer = co_await agent_.workers.ask(who, std::move(order));
    co_return std::move(answer.report);
}

// Nothing: no .qmail file decides.
async::Task<std::optional<Report>> Delivery::obey_dot_qmail(const Leaf& leaf)
{
    const sandbox::User& user = *leaf.rights;
    Parts parts = parts_of(leaf.recipient, agent_.config);
    Order order = order_for(job_, Order::dot_qmail);
    order.sender = leaf.sender;
    order.header = header_for(leaf, true);
    order.loop_address = leaf.recipient;
    order.user = user.name;
    order.home = user.home;
    order.size_limit = static_cast<uint64_t>(agent_.config.mailbox_size_limit);
    order.environment = environment_of_all(agent_.config);
    order.qmail = {parts.local, parts.extension, parts.domain};
    Answer answer = co_await agent_.workers.ask(person(user), std::move(order));
    bool good = answer.report.status == spool::Outcome::delivered;
    if (good && !answer.report.found) co_return std::nullopt;
    for (const Member& member : answer.members) {
        Resolved resolved = resolve(mail::to_internal(member.text), answer.report.sender);
        if (!good || resolved.address.empty()) continue;
        Leaf forward;
        forward.kind = Leaf::Kind::forward;
        forward.recipient = leaf.recipient;
        forward.target = resolved.address;
        forward.sender = answer.report.sender;
        forward.own_list = answer.report.sender != leaf.sender;
        further_.push_back(std::move(forward));
    }
    co_return std::move(answer.report);
}

async::Task<Report> Delivery::put_into_mailbox(const Leaf& leaf)
{
    const sandbox::User& user = *leaf.rights;
    if (agent_.config.qmail_files) {
        auto report = co_await obey_dot_qmail(leaf);
        if (report) co_return *report;
    }
    std::string command = mailbox_command(agent_, parts_of(leaf.recipient, agent_.config));
    if (!command.empty()) {
        std::optional<sandbox::User> rights = user;
        if (user.uid == 0) rights.reset();
        Report done = co_await run_or_write(Order::command, leaf, std::move(command), std::move(rights), false);
        co_return done;
    }
    Identity who = agent_.config.home_mailbox.empty() ? spool_identity(agent_.config, user) : person(user);
    Order order = order_for(job_, Order::mailbox);
    order.sender = leaf.sender;
    order.header = header_for(leaf, true);
    set_mailbox(order, user, who);
    Answer answer = co_await agent_.workers.ask(who, std::move(order));
    co_return std::move(answer.report);
}

async::Task<> Delivery::carry_out(Leaf& leaf)
{
    switch (leaf.kind) {
    case Leaf::Kind::command: leaf.report = co_await run_or_write(Order::command, leaf, leaf.target, leaf.rights, false); break;
    case Leaf::Kind::file: leaf.report = co_await run_or_write(Order::file, leaf, leaf.target, leaf.rights, false); break;
    case Leaf::Kind::mailbox: leaf.report = co_await put_into_mailbox(leaf); break;
    case Leaf::Kind::transport:
        leaf.report = co_await pass_on(agent_, job_, recipient_, leaf.recipient, leaf.sender, leaf.target);
        break;
    case Leaf::Kind::forward:
    case Leaf::Kind::outcome: break;
    }
}

// One recipient has one outcome, so what succeeds beside something that must be tried again happens twice. Therefore: the likeliest to
// fail comes first, and nothing more is tried after it; a user of a list who can't have it now gets mail of his own, and new messages are
// made last.
async::Task<> Delivery::carry_out(std::vector<Leaf>& leaves)
{
    using Kind = Leaf::Kind;
    auto is_deferred = [](const Leaf& leaf) { return leaf.kind == Kind::outcome && leaf.report.status == spool::Outcome::deferred; };
    bool several = leaves.size() > 1;
    bool stopped = std::any_of(leaves.begin(), leaves.end(), is_deferred);
    for (auto kind : {Kind::command, Kind::file, Kind::transport, Kind::mailbox}) {
        for (Leaf& leaf : leaves) {
            if (leaf.kind != kind || stopped) continue;
            co_await carry_out(leaf);
            leaf.report = agent_.status_filter.apply(std::move(leaf.report));
            leaf.kind = Kind::outcome;
            if (kind != Kind::transport) log(leaf);
            if (leaf.report.status != spool::Outcome::deferred) continue;
            if (several && leaf.may_be_sent_on) {
                leaf.kind = Kind::forward;
                leaf.target = leaf.recipient;
            } else {
                stopped = true;
            }
        }
    }
    std::move(further_.begin(), further_.end(), std::back_inserter(leaves));
    if (!stopped) co_await forward_all(agent_, job_, recipient_, leaves);
}

void Delivery::log(const Leaf& leaf) const
{
    spool::Recipient shown = recipient_;
    if (!base::same_word(leaf.recipient, shown.address)) {
        if (shown.original.empty()) shown.original = shown.address;
        shown.address = leaf.recipient;
    }
    spool::log_delivery(job_, shown, outcome_of(recipient_, leaf.report), agent_.service, timing_);
}

async::Task<spool::Outcome> Delivery::run()
{
    Expansion expansion(*this, agent_.config);
    std::vector<Leaf> leaves = co_await expansion.run(recipient_.address, job_.sender);
    for (Leaf& leaf : leaves) {
        if (leaf.kind != Leaf::Kind::outcome) continue;
        leaf.report = agent_.status_filter.apply(std::move(leaf.report));
        log(leaf);
    }
    co_await carry_out(leaves);
    std::set<std::string> forwarded;
    for (Leaf& leaf : leaves) {
        if (leaf.kind != Leaf::Kind::forward || leaf.report.text.empty()) continue;
        leaf.recipient = recipient_.address;
        if (forwarded.insert(leaf.report.text).second) log(leaf);
    }
    const Leaf* leaf = decisive(leaves);
    Report last = leaf ? leaf->report : delivered("discarded");
    if (!leaf) {
        Leaf nothing;
        nothing.recipient = recipient_.address;
        nothing.report = last;
        log(nothing);
    }
    spool::Outcome outcome = outcome_of(recipient_, last);
    if (outcome.status == spool::Outcome::handed_on) outcome.action = leaves.size() > 1 ? "expanded" : "relayed";
    co_return outcome;
}

} // namespace

async::Task<spool::Done> deliver_local(Agent& agent, const spool::Deliver& job)
{
    spool::Done done;
    for (const spool::Recipient& recipient : job.recipients) {
        if (job.probe) {
            auto outcome = co_await probe_local(agent, job, recipient);
            done.outcomes.push_back(std::move(outcome));
            continue;
        }
        Delivery delivery(agent, job, recipient);
        auto outcome = co_await delivery.run();
        done.outcomes.push_back(std::move(outcome));
    }
    co_return done;
}

} // namespace local_delivery
