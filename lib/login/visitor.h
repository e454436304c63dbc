// visitor: one client before it has proved who it is: its connection, what it may do now, and what the log will say of it.
#pragma once

#include "base/clock.h"
#include "login/hand_over.h"
#include "login/porter.h"
#include "sasl/auth_client.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace login {

// What came of an attempt to log in. Only for `taken` the client is not ours to answer any more.
struct Attempt {
    enum Kind {
        taken,
        wrong,                  // name or password
        unavailable,            // auth or the session stage: try later
        too_many,               // sessions of this user from this address
        needs_tls,              // not in the clear
        no_such_mechanism,
        cancelled,              // "*"
        malformed,              // not base64
    } kind = unavailable;
    std::string reason;         // auth's words to the user; often empty
    std::string code;           // auth's word, such as "user_disabled", "expired_password"
};

class Visitor {
public:
    Visitor(Porter& porter, net::Stream client);
    Visitor(const Visitor&) = delete;
    Visitor& operator=(const Visitor&) = delete;

    const Rules& rules() const { return porter_.rules(); }
    net::Stream& stream() { return stream_; }
    const std::string& session_id() const { return session_id_; }
    bool secured() const { return secured_; }

    // Time is limited as a whole: what is left of it, for every wait.
    net::Limit time_left() const;
    void say(std::string_view line);            // and CRLF; flush() sends it
    void say_last(std::string_view line);       // unless it would disturb a handshake
    async::Task<> flush() { return stream_.flush(time_left()); }

    bool may_start_tls() const;
    async::Task<> start_tls();                  // REQUIRES: may_start_tls(), and the protocol's "go ahead" was said. Throws tls::Failed.

    // What HAProxy says of the client, before its first byte. False: it may not say it, or said nothing that we understand.
    async::Task<bool> ask_proxy();
    const net::Address& remote() const { return remote_; }

    // On this machine, or in login_trusted_networks: nobody listens between us.
    bool beside_us() const { return beside_us_; }
    // RFC 8314 4: a password in the clear is for nobody to hear but this machine.
    bool plain_allowed() const;
    async::Task<std::vector<std::string>> mechanisms();     // to be advertised now

    // Challenges and responses are written alike by both protocols ("+ base64", "*").
    async::Task<Attempt> authenticate(std::string mechanism, std::optional<sasl::Secret> initial, std::string tag);
    async::Task<Attempt> log_in(std::string user, sasl::Secret password, std::string tag);

    bool handed_over() const { return handed_over_; }
    bool bad_command() { return ++bad_commands_ >= rules().most_bad_commands; }     // true: enough of them
    bool failed_too_often() const { return failures_ >= rules().most_failures; }
    // "Disconnected: Inactivity", for the log.
    void leaves_because(std::string words) { leaves_ = std::move(words); }
    void log_leaving() const;

    // After a hand-over under TLS: until one of the two is gone.
    async::Task<> relay_session();

private:
    async::Task<Attempt> exchange(sasl::Request request, std::string tag, std::string user);
    async::Task<std::optional<Attempt>> refusal(const std::string& mechanism);
    async::Task<sasl::Step> converse(sasl::Exchange& exchange, sasl::Step step, Attempt::Kind& given_up);
    async::Task<Attempt> hand_over(std::string ticket, std::string user, std::string tag);
    async::Task<HandedOver> ask_session_stage(HandOver message);
    Attempt failed(const sasl::Step& step, const std::string& user);
    std::string where() const;
    void now_from(net::Address remote);

    Porter& porter_;
    net::Stream stream_;
    net::Stream session_;       // our end of the pair, under TLS
    net::Address remote_, local_;
    bool beside_us_ = false;
    base::Steady arrived_, leave_by_;
    std::string session_id_;
    std::string server_name_;
    std::string tls_exporter_, tls_server_end_point_; // what SCRAM can bind a login to
    std::string tried_user_, tried_method_;
    std::string leaves_ = "Disconnected";
    std::string tried_clear_;   // the mechanism that was refused without TLS
    bool secured_ = false;
    bool in_handshake_ = false;
    bool handed_over_ = false;
    int failures_ = 0;
    int bad_commands_ = 0;
};

} // namespace login
