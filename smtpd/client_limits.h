// client_limits: how much one client may ask of this service, counted over all its processes (ipc::ClientCounts): the smtpd_client_*_limit
// parameters of Postfix and its anvil. Hosts of smtpd_client_event_limit_exceptions and those that may use XCLIENT are not counted.
#pragma once

#include "ipc/client_counts.h"
#include "smtp/reply.h"

#include <optional>
#include <string>

namespace smtpd {

struct Session;
class Service;

// A connection that is counted, for as long as this lives. Not counted when empty.
class Presence {
public:
    Presence() = default;
    Presence(ipc::ClientCounts& counts, std::string who) : counts_(&counts), who_(std::move(who)) {}
    Presence(Presence&& other) noexcept : counts_(std::exchange(other.counts_, nullptr)), who_(std::move(other.who_)) {}
    Presence& operator=(Presence&& other) noexcept;
    ~Presence() { leave(); }

private:
    void leave();
    ipc::ClientCounts* counts_ = nullptr;
    std::string who_;
};

// What stands for a client: its address, or its network by smtpd_client_ipv4_prefix_length and its brother: "2001:db8::/84".
std::string client_range(const std::string& address, int64_t ipv4_bits, int64_t ipv6_bits);

// The name under which the client is counted; empty: it is not.
std::string counted_as(Session& s);

// Counts the connection (s.presence). Each of these says and logs what Postfix says and logs; nothing: go on.
std::optional<smtp::Reply> refuse_connection(Session& s);
std::optional<smtp::Reply> refuse_mail(Session& s);
std::optional<smtp::Reply> refuse_recipient(Session& s);
std::optional<smtp::Reply> refuse_auth(Session& s);
// Before a handshake, without counting; and after a whole one, that resumed no session.
std::optional<smtp::Reply> refuse_starttls(Session& s);
std::optional<smtp::Reply> refuse_new_tls(Session& s);

} // namespace smtpd
