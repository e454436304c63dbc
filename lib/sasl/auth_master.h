// auth_master: the session stage and local delivery ask auth who somebody is in terms of the system: Dovecot's
// auth-master protocol.
#pragma once

#include "net/stream.h"
#include "sasl/ticket.h"

#include <sys/types.h>

#include <map>
#include <optional>
#include <stdexcept>
#include <string>

namespace sasl {

// auth cannot be asked, or could not find out: try later.
class Unavailable : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

struct UserRecord {
    std::string name;
    std::optional<uid_t> uid;
    std::optional<gid_t> gid;
    std::string home;
    std::string mail;                        // mail_location of this user; "": the default
    std::map<std::string, std::string> more; // further fields, such as quota_rule
};

// where: as for AuthClient; usually "private/auth-master". Each call is a connection of its own. Both answer nothing
// when there is no such ticket (any more) or no such user, and throw Unavailable otherwise.
async::Task<std::optional<UserRecord>> redeem(std::string where, Ticket ticket, net::Limit limit);
async::Task<std::optional<UserRecord>> find_user(std::string where, std::string name, std::string service,
                                                 net::Limit limit);

// The same over a connection at hand.
async::Task<std::optional<UserRecord>> redeem_over(net::Stream& stream, Ticket ticket, net::Limit limit);
async::Task<std::optional<UserRecord>> find_user_over(net::Stream& stream, std::string name, std::string service,
                                                      net::Limit limit);

} // namespace sasl
