// status_filter: local_delivery_status_filter and its kin: tables that change what is said of a delivery that failed.
#pragma once

#include "maps/map.h"
#include "order.h"

namespace local_delivery {

class StatusFilter {
public:
    // agent: whose parameter it is, for the log.
    StatusFilter(std::string agent, const std::vector<std::string>& tables) : agent_(std::move(agent)), tables_(tables) {}
    Report apply(Report report);

private:
    std::string agent_;
    maps::Maps tables_;
};

} // namespace local_delivery
