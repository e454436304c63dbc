// retry_rules: when a deferred recipient is tried again, by destination and kind of error, as Exim's retry rules say it; where no rule matches,
// Postfix's minimal_backoff_time and maximal_backoff_time hold.
//
//   # destination     error       intervals
//   example.org       *           F,2h,15m; G,16h,1h,1.5; F,4d,6h
//   *.slow.example    timeout     F,1d,2h
//   *                 rcpt_4xx    F,30m,5m; F,4d,1h
#pragma once

#include "config/config.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qmgr {

// Times in seconds.
struct RetryStep {
    bool geometric = false;
    int64_t until = 0;          // the age up to which it holds
    int64_t interval = 0;       // the first one, when geometric
    double factor = 1;
};

struct RetryRule {
    std::string destination;    // "*", a domain, ".domain" for what is below it, or user@domain
    std::string error;          // "*", a word of retry_error_words(), or a status such as 4.7.1 or 4.7.*
    std::vector<RetryStep> steps;
};

class RetryRules {
public:
    RetryRules() = default;
    // Throws config::Error with file and line.
    static RetryRules parse(std::string_view text, const std::string& file);
    static RetryRules load(const config::Config& config);     // the file that retry_rules names; none when it names none

    bool empty() const { return rules_.empty(); }
    // The first rule that fits. Null: none.
    const RetryRule* find(std::string_view recipient, std::string_view status, std::string_view text) const;

private:
    std::vector<RetryRule> rules_;
};

// Seconds from now, for a message of that age; nothing when all intervals are over: it is to be returned.
std::optional<int64_t> next_interval(const RetryRule& rule, int64_t age);

} // namespace qmgr
