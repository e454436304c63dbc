// auth_client: asks auth (ours, or Dovecot's) who is there, by Dovecot's auth protocol 1.2 over one connection that
// many sessions share.
//
//     sasl::Exchange exchange(client);
//     sasl::Step step = co_await exchange.start(std::move(request), limit);
//     while (step.kind == sasl::Step::challenge) { …; step = co_await exchange.go_on(std::move(response), limit); }
//
// Nothing is thrown: trouble with auth is a Step that failed for now (temporary). The connection is made at the first
// use, and again after it was lost.
#pragma once

#include "async/nursery.h"
#include "net/stream.h"
#include "sasl/secret.h"
#include "sasl/ticket.h"

#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace sasl {

// RFC 4422; flags as auth describes them.
struct Mechanism {
    std::string name;
    bool anonymous = false;
    bool plaintext = false; // sends the password: only under TLS unless the administrator allows more
    bool dictionary = false;
    bool active = false;
    bool forward_secrecy = false;
    bool mutual_auth = false;
    bool is_private = false; // not to be advertised, but by who can do what it needs
    bool binds = false;      // -PLUS: needs Request::tls_exporter or tls_server_end_point

    // May be advertised over a connection that can be bound to, or not.
    bool is_offered(bool can_bind) const { return binds ? can_bind : !is_private; }
};

struct Request {
    Request(std::string mechanism, std::string service) : mechanism(std::move(mechanism)), service(std::move(service))
    {
    }

    std::string mechanism;
    std::string service;                    // "smtp", "imap", "pop3"
    std::optional<Secret> initial_response; // decoded; an empty one is not the same as none
    bool secured = false;                   // under TLS, or beside us
    bool no_penalty = false;                // failures of others at the same address are not for this one to wait for
    bool wants_ticket = false;              // a session stage will redeem it
    net::Address remote, local;
    std::string local_name; // SNI
    std::string certificate_name;               // of a trusted client certificate, for EXTERNAL; "": none
    std::string tls_exporter, tls_server_end_point; // bytes, for SCRAM: RFC 9266, 5929
};

struct Step {
    enum Kind { ok, challenge, fail } kind = fail;
    std::string user;             // ok; also fail, when auth says whom it was about
    std::optional<Ticket> ticket; // ok
    std::string final_response;   // ok: a last challenge of the mechanism, to be sent with or before success
    std::string text;             // challenge: decoded
    std::string reason;           // fail: for people; may be empty
    std::string code;             // fail: Dovecot's word, such as "user_disabled"
    bool temporary = false;       // fail: nobody is to blame; try later
};

class Exchange;

class AuthClient {
public:
    // where: a socket's path ("private/auth", also "unix:private/auth") or "inet:host:port".
    explicit AuthClient(std::string where);
    AuthClient(const AuthClient&) = delete;
    AuthClient& operator=(const AuthClient&) = delete;
    ~AuthClient(); // after all its exchanges

    // What auth offers; empty when it does not answer in time (it is logged). Without waiting once the connection is
    // there.
    async::Task<std::vector<Mechanism>> mechanisms(net::Limit limit);
    const std::string& where() const { return where_; }

    // For tests: goes on over a socket that is connected already, instead of connecting to `where`.
    void connect_by(std::function<net::Stream()> make) { make_stream_ = std::move(make); }

private:
    friend class Exchange;
    enum class State { idle, connecting, ready };
    struct Waiting;

    void begin();
    async::Task<> run();
    async::Task<> converse();
    async::Task<> write_out();
    async::Task<bool> be_connected(net::Limit limit);
    void take(std::string_view line);
    void take_handshake(const std::vector<std::string_view>& fields);
    void take_answer(const std::vector<std::string_view>& fields);
    void greeted();
    void lost(const std::string& why);
    void send(std::string_view line);
    void wake_waiting();
    uint32_t new_id();

    std::string where_;
    std::function<net::Stream()> make_stream_;
    State state_ = State::idle;
    std::string trouble_;
    net::Stream stream_;
    std::vector<Mechanism> mechanisms_, coming_mechanisms_;
    uint32_t auth_pid_ = 0;
    uint32_t client_pid_ = 0;
    std::string cookie_;
    uint32_t last_id_ = 0;
    std::unordered_map<uint32_t, Exchange*> exchanges_;
    std::vector<Waiting*> waiting_; // in the order they came
    async::Flag to_send_;
    async::Nursery writer_{"auth client"};
    async::Nursery reader_{"auth client"};
};

// One attempt of one client. Giving it up (destroying it) tells auth.
class Exchange {
public:
    explicit Exchange(AuthClient& client) : client_(client) {}
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;
    ~Exchange() { leave(); }

    async::Task<Step> start(Request request, net::Limit limit);
    async::Task<Step> go_on(Secret response, net::Limit limit); // REQUIRES: the last step was a challenge

private:
    friend class AuthClient;
    async::Task<Step> answer(net::Limit limit);
    void leave();

    AuthClient& client_;
    uint32_t id_ = 0; // 0: auth does not know of us
    bool wants_ticket_ = false;
    std::optional<Step> answer_;
    async::Flag answered_;
};

} // namespace sasl
