// manager: the owner of the spool. Takes messages in, hands their recipients to transports, and settles what becomes of them.
#pragma once

#include "message.h"
#include "retry_rules.h"
#include "transport.h"

#include "cleanup/rules.h"
#include "config/config.h"
#include "config/notice_templates.h"
#include "routing/router.h"
#include "spool/folders.h"

#include <deque>
#include <unordered_map>
#include <unordered_set>

namespace qmgr {

class Manager {
public:
    Manager(const config::Config& config, async::Nursery& nursery);

    const config::Config& config() const { return config_; }
    const spool::Folders& folders() const { return folders_; }
    async::Nursery& nursery() { return nursery_; }
    cleanup::Rules& intake_rules() { return intake_rules_; }    // of notices
    const config::NoticeTemplates& notice_templates() const { return notice_templates_; }

    // A new, empty queue file in incoming. Throws base::SystemError.
    struct NewFile {
        std::string id;
        base::Fd fd;
    };
    NewFile create();
    // A probe: one recipient is routed and handed to an agent as mail is, but there is no file. `told` hears what became of it, and then it is
    // forgotten. recipient.address is whole. Never calls `told` before it returns.
    using Told = std::function<void(const RecipientState&)>;
    void probe(const std::string& sender, spool::Recipient recipient, Told told);
    routing::Router& router() { return router_; }
    bool has_room();                                 // queue_minfree; looked up once a second

    // The file `id` in incoming is complete. With fd when it is open already. Waits in incoming while the active queue is full.
    void accept(const std::string& id, base::Fd fd);
    // Loads a file that lies somewhere and makes it active. False: it is gone, incomplete or damaged (and then in corrupt).
    bool activate(const spool::Place& place, const std::string& id, base::Fd fd = {}, bool check_content = false);
    bool full() const;                               // no room in the active queue
    bool knows(const std::string& id) const { return active_.count(id) > 0 || waiting_ids_.count(id) > 0; }

    // postsuper, postqueue. False: there is no such message.
    bool remove(const std::string& id);
    bool hold(const std::string& id);
    bool release(const std::string& id);
    bool requeue(const std::string& id);
    bool expire(const std::string& id);
    bool flush(const std::string& id);
    void flush_destinations();
    // Starts no delivery any more; those under way go on, and what they do is written down.
    void stop_dispatching();
    bool delivering() const;

    std::function<void(int64_t when)> on_deferred;   // a message now lies in deferred/WHEN
    async::Flag room_again;                          // the active queue has room again
    async::Flag look_again;                          // and complete messages in incoming that nobody remembers
    size_t active_count() const { return active_.size(); }

private:
    std::string make_id();
    void finish_probe(Message& message);
    void schedule(Message& message);
    routing::Route route_of(const Message& message, const std::string& recipient);
    bool is_double_bounce(const routing::Route& route) const;
    void defer_unroutable(Message& message, uint32_t number, const std::string& why);
    Transport& transport(const std::string& name);
    void settle(Group& group, const spool::Done& done);
    void settle_one(Message& message, const spool::Outcome& outcome);
    void group_done(Message& message);
    void finish(Message& message);
    async::Task<> finish_with_notice(Message& message);
    void conclude(Message& message);
    void defer(Message& message);
    void drop(Message& message);
    void force_expiry(Message& message);
    async::Task<> schedule_later(std::string id);
    async::Task<> remove_files(std::vector<std::string> paths);
    void removed_later(const spool::Place& place, const std::string& id);
    void append(Message& message, const std::vector<spool::Event>& events);
    bool expired(const Message& message) const;
    void expire_deferred(Message& message);
    void give_up_by_rules(Message& message);
    int64_t next_attempt(const Message& message) const;
    bool deliver_here(const std::string& transport, const std::string& nexthop, Message& message, uint32_t number);
    void admit_waiting();
    void set_aside(const spool::Place& place, const std::string& id, const std::string& why);

    const config::Config& config_;
    async::Nursery& nursery_;
    config::Config probe_config_;                    // with address_verify_…_transport and its kin in the places of what mail goes by
    spool::Folders folders_;
    routing::Router router_, probe_router_;
    cleanup::Rules intake_rules_;
    config::NoticeTemplates notice_templates_;
    RetryRules retry_rules_;
    std::unordered_map<std::string, std::unique_ptr<Message>> active_;
    struct Probe {
        std::unique_ptr<Message> message;
        Told told;
    };
    std::unordered_map<std::string, Probe> probes_;
    std::unordered_map<std::string, std::unique_ptr<Transport>> transports_;
    std::deque<std::string> waiting_;                // complete, in incoming
    std::unordered_set<std::string> waiting_ids_;
    bool left_behind_ = false;                       // and more of them, not remembered
    int64_t last_id_time_ = 0;
    std::vector<std::string> to_remove_;             // paths, for the next batch
    bool removal_queued_ = false;
    base::Steady room_checked_{};
    bool room_ = true;
    bool at_rest_ = false;
};

} // namespace qmgr
