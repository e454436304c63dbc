// verify: asks the sources of passwords in their order, and says who somebody is.
#pragma once

#include "async/task.h"
#include "context.h"
#include "sasl/auth_master.h"
#include "source.h"

#include <string>
#include <vector>

namespace auth {

// Is this the password? Does not throw: trouble is a temporary Verdict.
async::Task<Verdict> verify(Context& context, Attempt attempt);

// He has proved his name without showing a password: may he come in? Does not throw.
async::Task<Verdict> admit_by_name(Context& context, Attempt attempt);

// The stored hash of that scheme (passwords::hash_for); nothing when the user is unknown or it can't be had. Throws when
// that can't be found out now.
async::Task<std::optional<std::string>> find_hash(Context& context, std::string typed, std::string scheme);

// userdb: the fields of a passwd-file, else passwd(5). Nothing for unknown users, and for those who may not log in
// (root). Throws when that can't be found out now.
async::Task<std::optional<sasl::UserRecord>> find_record(Context& context, std::vector<std::string> names);

// Dovecot's allow_nets: "192.0.2.0/24,2001:db8::/32,local".
bool address_allowed(std::string_view nets, std::string_view ip);

} // namespace auth
