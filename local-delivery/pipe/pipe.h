// pipe: delivery to a command that master.cf names, with the rights of a user that it names too.
#pragma once

#include "config/config.h"
#include "pipe/attributes.h"
#include "spool/agent.h"
#include "status_filter.h"
#include "workers.h"

#include <deque>

namespace local_delivery {

// A service of master.cf whose command is pipe.
struct PipeAgent {
    // config must outlive it. words: those behind "pipe" in master.cf. Throws config::Error when they, or the user they name, won't do.
    PipeAgent(const config::Config& config, std::string service, const std::vector<std::string>& words, const Workers::Limits& limits);

    const config::Config& config;
    std::string service;
    PipeAttributes attributes;
    Identity identity;
    async::Limit time_limit;
    Workers workers;
    StatusFilter status_filter;
    // maxproc of master.cf: so many commands run at once, the others wait their turn.
    size_t most_commands, commands = 0;
    std::deque<async::Flag*> waiting;
};

// The agent and the job outlive the task.
async::Task<spool::Done> deliver_by_pipe(PipeAgent& agent, const spool::Deliver& job);

} // namespace local_delivery
