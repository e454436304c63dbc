// concurrency: how many deliveries to one destination may go on at once, learned from how they went: Postfix's feedback (SCHEDULER_README).
#pragma once

#include "config/config.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace qmgr {

// "N", "N/concurrency", "N/sqrt_concurrency", with N a number such as 1, 0.5 or 1/4.
struct Feedback {
    enum Divisor { constant, concurrency, root } divisor = constant;
    double amount = 1;
    double of(int64_t window) const;
};
// Throws config::Error; `name` is the parameter.
Feedback parse_feedback(const std::string& name, std::string_view text);

struct ConcurrencyRules {
    int64_t initial = 5, most = 20;
    Feedback positive, negative;
    double failed_cohorts = 1;      // so many windows of failures in a row, and the destination is dead; 0: never
};

// The window of one destination.
class Concurrency {
public:
    explicit Concurrency(const ConcurrencyRules& rules) : rules_(rules), window_(rules.initial) {}

    int64_t window() const { return window_; }
    void succeeded(int64_t in_flight);
    // True: the destination is dead, and is to be left alone for a while.
    bool failed(int64_t in_flight);
    void start_again(int64_t window);

private:
    const ConcurrencyRules& rules_;
    int64_t window_;
    double credit_ = 0;             // fractions of the window, won and lost
    double cohorts_ = 0;
};

} // namespace qmgr
