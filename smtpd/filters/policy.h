// policy: asks a policy service (SMTPD_POLICY_README of Postfix): attributes go there, an action of access(5) comes back. Connections are
// kept, and shared by all sessions of the process; one connection carries one question at a time.
#pragma once

#include "base/clock.h"
#include "config/config.h"
#include "net/stream.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace smtpd {

struct Session;

// A service as check_policy_service and the parameters smtpd_policy_service_* describe it.
struct PolicyService {
    std::string name;               // "inet:localhost:10023", as logged
    std::string address;            // for net::connect_to_service
    std::string default_action;     // when it does not answer
    std::string context;            // the attribute policy_context
    async::Limit timeout{100000}, max_idle{300000}, max_ttl{1000000}, retry_delay{1000};
    int64_t try_limit = 2;
    int64_t request_limit = 0;      // of one connection; 0: none
};

// "inet:host:port", "unix:path", or "{ inet:host:port, timeout=10s, default_action=DUNNO, policy_context=x … }". Throws config::Error.
PolicyService read_policy_service(const config::Config& config, std::string_view text);

using PolicyAttributes = std::vector<std::pair<std::string_view, std::string>>;

// What is asked at that point of the dialogue: where is CONNECT, EHLO, HELO, MAIL, RCPT, DATA, END-OF-MESSAGE, VRFY or ETRN.
struct PolicyQuestion {
    std::string where;
    std::string sender, recipient, etrn_domain;     // as the client gave them
};
PolicyAttributes policy_attributes(const Session& session, const PolicyQuestion& question, const PolicyService& service);

class PolicyClient {
public:
    explicit PolicyClient(PolicyService service) : service_(std::move(service)) {}

    const PolicyService& service() const { return service_; }
    // The action: "DUNNO", "REJECT text". Of a service that cannot be had, the default action; the log says why. Outlive the task.
    async::Task<std::string> ask(PolicyAttributes attributes);
    size_t idle_connections() const { return idle_.size(); }

private:
    struct Connection {
        net::Stream stream;
        base::Steady opened, used;
        int64_t requests = 0;
    };
    async::Task<Connection> connection();
    async::Task<std::string> exchange(Connection& connection, std::string_view request);
    void give_back(Connection connection);
    void drop_stale();
    static void at_timer(void* self) { static_cast<PolicyClient*>(self)->drop_stale(); }

    PolicyService service_;
    std::vector<Connection> idle_;
    async::Timer timer_;
};

} // namespace smtpd
