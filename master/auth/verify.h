// verify: asks the sources of passwords in their order, and says who somebody is.
#pragma once

#include "async/task.h"
#include "context.h"
#include "sasl/auth_master.h"
#include "sasl/secret.h"

#include <string>
#include <vector>

namespace auth {

struct Attempt {
    std::string typed; // the name as the client gave it
    sasl::Secret password;
    std::string service;
    std::string remote_ip; // "" when unknown
};

struct Verdict {
    enum Kind { ok, wrong, disabled, temporary } kind = wrong;
    sasl::UserRecord user; // ok
    std::string why;       // for the log; never sent
};

// Does not throw: trouble is a temporary Verdict.
async::Task<Verdict> verify(Context& context, Attempt attempt);

// userdb: the fields of a passwd-file, else passwd(5). Nothing for unknown users, and for those who may not log in
// (root). Throws base::SystemError.
async::Task<std::optional<sasl::UserRecord>> find_record(Context& context, std::vector<std::string> names);

// Dovecot's allow_nets: "192.0.2.0/24,2001:db8::/32,local".
bool address_allowed(std::string_view nets, std::string_view ip);

} // namespace auth
