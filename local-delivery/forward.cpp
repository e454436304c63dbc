#include "forward.h"

#include "async/offload.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "cleanup/intake.h"
#include "content.h"
#include "mail/address.h"

#include <fmt/format.h>

#include <map>
#include <memory>

namespace local_delivery {
namespace {

struct Group {
    std::string sender;
    bool own_list = false;
    std::vector<std::string> addresses;
};

cleanup::Origin origin_for(Agent& agent, const spool::Deliver& job, const spool::Recipient& recipient, const Group& group, const std::string& id)
{
    const config::Config& config = agent.config;
    cleanup::Origin origin;
    origin.source = cleanup::Source::forward;
    origin.ours = job.content_flags & spool::content_ours;
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

void add_recipients(Agent& agent, cleanup::Intake& intake, const spool::Recipient& original, const Group& group)
{
    for (const std::string& address : group.addresses) {
        spool::Recipient recipient;
        recipient.address = agent.router.rewrite(address);
        recipient.original = original.original.empty() ? original.address : original.original;
        if (!group.own_list) {
            recipient.dsn_original = original.dsn_original;
            recipient.notify = original.notify;
        }
        intake.add_recipient(std::move(recipient));
    }
}

// What a thread works on, which may outlast the task when that is cancelled.
struct Copy {
    Copy(std::unique_ptr<cleanup::Intake> intake, const spool::Deliver& job, const base::Fd& to, std::string id)
        : intake(std::move(intake)), file(job.file.duplicate()), source(file.get(), job.content_offset, job.content_length, job.queue_id),
          to(to.duplicate()), id(std::move(id))
    {
    }
    std::unique_ptr<cleanup::Intake> intake;
    base::Fd file;
    Content source;
    base::Fd to;
    std::string id;
    std::string piece;          // read, not yet taken in
};

cleanup::ContentSeen seen_before(uint32_t flags)
{
    cleanup::ContentSeen seen;
    seen.has_8bit = flags & spool::content_8bit;
    seen.has_leading_dot = flags & spool::content_dot_lines;
    seen.longest_line = flags & spool::content_long_lines ? 1000 : 0;
    return seen;
}

// The body passes by, and all is written. Blocks.
void copy_body(Copy& copy, const cleanup::ContentSeen& seen)
{
    cleanup::Intake& intake = *copy.intake;
    for (std::string_view piece = copy.piece; !piece.empty(); piece = copy.source.next()) {
        intake.add(piece);
        if (intake.full()) spool::write_blocks(copy.to.get(), intake.take_writes(), false, copy.id);
    }
    intake.finish(seen);
    spool::write_blocks(copy.to.get(), intake.seal(), true, copy.id);
}

// The header needs tables, which are the loop's; reading and writing is for a thread. Gives why it can't be taken.
async::Task<std::optional<cleanup::Refusal>> copy_message(std::shared_ptr<Copy> copy, cleanup::ContentSeen seen)
{
    auto read = [copy] { copy->piece = copy->source.next(); };
    co_await async::offload(read);
    while (!copy->piece.empty() && copy->intake->in_header()) {
        copy->intake->add(copy->piece);
        co_await async::offload(read);
    }
    copy->intake->close_header();
    auto work = [copy, seen] { copy_body(*copy, seen); };
    if (!copy->intake->refusal()) co_await async::offload(work);
    co_return copy->intake->refusal();
}

async::Task<Report> forward_group(Agent& agent, const spool::Deliver& job, const spool::Recipient& recipient, const Group& group)
{
    try {
        spool::NewFile file = co_await agent.maker.create();
        std::string id = file.id();
        auto intake = std::make_unique<cleanup::Intake>(agent.rules, origin_for(agent, job, recipient, group, id), id);
        add_recipients(agent, *intake, recipient, group);
        auto copy = std::make_shared<Copy>(std::move(intake), job, file.fd(), id);
        auto refusal = co_await copy_message(copy, seen_before(job.content_flags));
        if (refusal && refusal->code < 500) co_return deferred(refusal->dsn, "unable to forward message: " + refusal->text);
        if (refusal) co_return bounced(refusal->dsn, refusal->text);
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
