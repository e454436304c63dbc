// agent: what all deliveries of this process share.
#pragma once

#include "aliases.h"
#include "cleanup/rules.h"
#include "config/config.h"
#include "order.h"
#include "routing/router.h"
#include "spool/agent.h"
#include "spool/maker.h"
#include "status_filter.h"
#include "users.h"
#include "workers.h"

namespace local_delivery {

struct Agent {
    // config must outlive it.
    Agent(const config::Config& config, std::string service, bool is_virtual, const std::string& queue_folder, Workers::Limits limits);

    const config::Config& config;
    std::string service;                // the name in the log, and of the transport whose recipients we deliver ourselves
    std::string queue_folder;
    bool change_user;                   // started as root
    routing::Router router;
    cleanup::Rules rules;               // of what is forwarded
    Aliases aliases;
    Users users;
    Workers workers;
    spool::Maker maker;
    async::Nursery connections{"queue manager"};    // the maker's, who outlives them
    maps::Maps mailbox_commands, mailbox_transports, fallback_transports;
    maps::Maps virtual_mailboxes, virtual_uids, virtual_gids;
    StatusFilter status_filter;
};

// An order with all that comes from the job: content, sender. The job outlives the task.
Order order_for(const spool::Deliver& job, Order::Kind kind);
// Fields as final delivery adds them, CRLF ended.
std::string return_path_field(const std::string& sender);
std::string original_to_field(const spool::Recipient& recipient, const config::Config& config);      // empty without enable_original_recipient
std::string delivered_to_field(const std::string& address);
// All three; the last only when it is not empty.
std::string delivery_header(const std::string& sender, const spool::Recipient& recipient, const std::string& delivered_to, const config::Config& config);
// prepend_delivered_header; word: command, file, forward.
bool prepends_delivered_to(const config::Config& config, std::string_view word);
spool::Outcome outcome_of(const spool::Recipient& recipient, const Report& report);

} // namespace local_delivery
