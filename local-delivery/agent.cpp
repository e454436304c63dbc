#include "agent.h"

#include "base/log.h"
#include "base/text.h"
#include "mail/address.h"

#include <fmt/format.h>

#include <fcntl.h>

namespace local_delivery {
namespace {

// An address in a field of a header, where nothing may end the line.
std::string field_address(const std::string& address) { return base::printable(mail::to_external(address), 4000); }

} // namespace

Agent::Agent(const config::Config& config, std::string service, bool is_virtual, const std::string& queue_folder,
             Workers::Limits limits)
    : config(config), service(std::move(service)), queue_folder(queue_folder), change_user(limits.change_user), router(config), rules(config, router), aliases(config),
      workers(config, limits), maker(queue_folder + "/private/qmgr", connections), mailbox_commands(config.mailbox_command_maps),
      mailbox_transports(config.mailbox_transport_maps), fallback_transports(config.fallback_transport_maps),
      virtual_mailboxes(config.virtual_mailbox_maps), virtual_uids(config.virtual_uid_maps), virtual_gids(config.virtual_gid_maps),
      status_filter(is_virtual ? "virtual" : "local", is_virtual ? config.virtual_delivery_status_filter : config.local_delivery_status_filter)
{
}

Order order_for(const spool::Deliver& job, Order::Kind kind)
{
    Order order;
    order.kind = kind;
    order.queue_id = job.queue_id;
    order.content_offset = job.content_offset;
    order.content_length = job.content_length;
    order.sender = job.sender;
    if (kind != Order::read_forward && kind != Order::read_include) order.content = job.file.duplicate();
    return order;
}

std::string return_path_field(const std::string& sender) { return fmt::format("Return-Path: <{}>\r\n", field_address(sender)); }

std::string original_to_field(const spool::Recipient& recipient, const config::Config& config)
{
    if (!config.enable_original_recipient) return {};
    return fmt::format("X-Original-To: {}\r\n", field_address(recipient.original.empty() ? recipient.address : recipient.original));
}

std::string delivered_to_field(const std::string& address) { return fmt::format("Delivered-To: {}\r\n", field_address(address)); }

std::string delivery_header(const std::string& sender, const spool::Recipient& recipient, const std::string& delivered_to, const config::Config& config)
{
    std::string header = return_path_field(sender) + original_to_field(recipient, config);
    if (!delivered_to.empty()) header += delivered_to_field(delivered_to);
    return header;
}

bool prepends_delivered_to(const config::Config& config, std::string_view word)
{
    for (auto listed : base::split(config.prepend_delivered_header))
        if (base::same_word(listed, word)) return true;
    return false;
}

spool::Outcome outcome_of(const spool::Recipient& recipient, const Report& report)
{
    spool::Outcome outcome;
    outcome.number = recipient.number;
    outcome.status = report.status;
    outcome.dsn = report.dsn;
    outcome.text = base::printable(report.text, 2000);
    if (outcome.status == spool::Outcome::delivered) outcome.action = "delivered";
    return outcome;
}

} // namespace local_delivery
