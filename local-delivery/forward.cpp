#include "forward.h"

#include "async/offload.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "content.h"
#include "mail/address.h"
#include "spool/intake.h"

#include <fmt/format.h>

#include <map>

namespace local_delivery {
namespace {

struct Group {
    std::string sender;
    bool own_list = false;
    std::vector<std::string> addresses;
};

spool::Origin origin_for(Agent& agent, const spool::Deliver& job, const spool::Recipient& recipient, const Group& group, const std::string& id)
{
    const config::Config& config = agent.config;
    spool::Origin origin;
    base::Wall now = base::wall_now();
    origin.sender = group.sender;
    origin.arrival = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
    origin.utf8 = job.content_flags & spool::content_utf8;
    auto keep = [&](const char* name, const std::string& value) {
        if (!value.empty()) origin.attributes[name] = value;
    };
    keep("client_name", job.client_name);
    keep("client_address", job.client_address);
    keep("helo_name", job.helo);
    keep("protocol_name", job.protocol);
    keep("client_port", job.client_port);
    keep("sasl_method", job.sasl_method);
    keep("sasl_sender", job.sasl_sender);
    keep("sasl_username", job.sasl_username);
    // RFC 3461 5.2.7.3: a list with an owner of its own starts a new message.
    if (!group.own_list) {
        keep("envid", job.envid);
        keep("ret", job.ret);
    }
    if (prepends_delivered_to(config, "forward"))
        origin.prepend = fmt::format("Delivered-To: {}\r\n", base::printable(mail::to_external(recipient.address), 4000));
    origin.received =
        fmt::format("Received: by {} ({})\r\n\tid {}; {}\r\n", config.myhostname, config.mail_name, id, base::mail_date(now));
    return origin;
}

void add_recipients(Agent& agent, spool::Intake& intake, const spool::Recipient& original, const Group& group)
{
    std::set<std::string> known;
    for (const std::string& address : group.addresses) {
        std::string canonical = agent.address_maps.canonical(address, routing::Place::envelope_recipient);
        for (std::string& final : agent.address_maps.expand_virtual(canonical)) {
            if (!known.insert(mail::fold_case(final)).second) continue;
            spool::Recipient recipient;
            recipient.address = std::move(final);
            recipient.original = original.original.empty() ? original.address : original.original;
            if (!group.own_list) {
                recipient.dsn_original = original.dsn_original;
                recipient.notify = original.notify;
            }
            intake.add_recipient(std::move(recipient));
        }
    }
}

// The message that is copied, for a thread.
struct Source {
    std::string queue_id;
    base::Fd file;
    uint64_t offset, length;
    uint32_t flags;
};

spool::ContentSeen seen_before(uint32_t flags)
{
    spool::ContentSeen seen;
    seen.has_8bit = flags & spool::content_8bit;
    seen.has_leading_dot = flags & spool::content_dot_lines;
    seen.longest_line = flags & spool::content_long_lines ? 1000 : 0;
    return seen;
}

// Reads, checks and writes the whole copy. Blocks. Gives why it can't be taken.
std::optional<spool::Refusal> copy(spool::Intake& intake, const Source& source, int to, const std::string& id)
{
    Content content(source.file.get(), source.offset, source.length, source.queue_id);
    for (auto piece = content.next(); !piece.empty(); piece = content.next()) {
        intake.add(piece);
        if (intake.full()) spool::write_blocks(to, intake.take_blocks(), false, id);
    }
    auto blocks = intake.finish(seen_before(source.flags));
    if (auto refusal = intake.refusal()) return refusal;
    spool::write_blocks(to, blocks, true, id);
    return std::nullopt;
}

async::Task<Report> forward_group(Agent& agent, const spool::Deliver& job, const spool::Recipient& recipient, const Group& group)
{
    try {
        spool::NewFile file = co_await agent.maker.create();
        std::string id = file.id();
        spool::Intake intake(agent.config, origin_for(agent, job, recipient, group, id), id);
        add_recipients(agent, intake, recipient, group);
        // The thread may outlast this task when it is cancelled: it works on a descriptor and an intake of its own.
        auto shared = std::make_unique<spool::Intake>(std::move(intake));
        Source source{job.queue_id, job.file.duplicate(), job.content_offset, job.content_length, job.content_flags};
        auto work = [intake = std::move(shared), source = std::move(source), to = file.fd().duplicate(), id]() mutable {
            auto refusal = copy(*intake, source, to.get(), id);
            return std::make_pair(std::move(refusal), intake->message_id());
        };
        auto result = co_await async::offload(std::move(work));
        base::log::info_as("cleanup", fmt::format("{}: message-id={}", id, result.second));
        if (result.first) co_return bounced(result.first->dsn, result.first->text);
        file.commit();
        Report done = report(spool::Outcome::handed_on, "2.0.0", "forwarded as " + id);
        co_return done;
    } catch (const spool::Unavailable& failure) {
        co_return deferred("4.3.0", fmt::format("unable to forward message: {}", failure.what()));
    } catch (const maps::Unavailable& failure) {
        co_return deferred("4.3.0", fmt::format("unable to forward message: {}", failure.what()));
    } catch (const base::SystemError& failure) {
        co_return deferred("4.3.0", fmt::format("unable to forward message: {}", failure.what()));
    }
}

} // namespace

async::Task<> forward_all(Agent& agent, const spool::Deliver& job, const spool::Recipient& recipient, std::vector<Leaf>& leaves)
{
    std::map<std::pair<std::string, bool>, Group> groups;
    for (const Leaf& leaf : leaves) {
        if (leaf.kind != Leaf::Kind::forward) continue;
        Group& group = groups[{leaf.sender, leaf.own_list}];
        group.sender = leaf.sender;
        group.own_list = leaf.own_list;
        group.addresses.push_back(leaf.target);
    }
    for (auto& [key, group] : groups) {
        Report made = co_await forward_group(agent, job, recipient, group);
        for (Leaf& leaf : leaves)
            if (leaf.kind == Leaf::Kind::forward && leaf.sender == group.sender && leaf.own_list == group.own_list) leaf.report = made;
    }
}

} // namespace local_delivery
