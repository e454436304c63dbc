// retry: deferred messages come back when their time has come. Start-up and each run cost what is due, not what is waiting.
#pragma once

#include "manager.h"

#include <set>

namespace qmgr {

class Retry {
public:
    explicit Retry(Manager& manager) : manager_(manager) {}

    void start();                   // tasks in the manager's nursery; also takes up what a former queue manager left
    void add(int64_t when);         // a message lies in deferred/WHEN
    void flush();                   // all of them, now

private:
    async::Task<> take_up_leftovers();
    async::Task<> look_for_strays();
    async::Task<> run();
    async::Task<> take_folder(int64_t when);
    async::Task<> take_all(spool::Place place, bool check_content);

    Manager& manager_;
    std::set<int64_t> times_;
    std::set<int64_t> flushed_;
    async::Flag changed_;
};

} // namespace qmgr
