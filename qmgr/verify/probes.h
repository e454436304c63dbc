// probes: address verification (ADDRESS_VERIFICATION_README of Postfix): could mail be delivered there? A probe goes the way of mail as far
// as the recipient's server, and leaves nothing behind but an entry of the cache.
#pragma once

#include "manager.h"
#include "verify/cache.h"

#include "async/wait.h"

#include <unordered_map>
#include <vector>

namespace qmgr {

class Probes {
public:
    explicit Probes(Manager& manager);
    Probes(const Probes&) = delete;
    Probes& operator=(const Probes&) = delete;

    // What is known, at once; where that is nothing, a probe's outcome if it comes in time.
    async::Task<spool::Verified> ask(std::string address, async::Limit wait);
    async::Task<> clean_up_forever();       // address_verify_cache_cleanup_interval
    bool writing() const { return cache_.writing(); }

private:
    // Somebody who waits for an outcome.
    struct Waiter {
        async::Flag told;
        spool::Verified answer;
    };
    struct Pending {
        std::vector<Waiter*> waiters;
    };
    bool start(const std::string& address);
    void learn(const std::string& address, spool::Verified::Verdict verdict, const std::string& text);
    async::Task<> learn_later(std::string address, spool::Verified::Verdict verdict, std::string text);
    std::string sender() const;

    Manager& manager_;
    const config::Config& config_;
    VerifyCache cache_;
    std::unordered_map<std::string, Pending> pending_;
};

// The folder that the cache's file is written in; empty: there is none.
std::string verify_cache_folder(const config::Config& config);

} // namespace qmgr
