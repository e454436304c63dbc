// records: from what a source says of a user to what a session needs: uid, gid, home, mail.
#pragma once

#include "context.h"
#include "sasl/auth_master.h"
#include "source.h"

#include <string>
#include <vector>

namespace auth {

// passdb and userdb in one line of a file: what is for the session is named userdb_….
sasl::UserRecord record_of(const FileUser& user);

// Adds what passwd(5) knows, if the record has no uid yet.
async::Task<sasl::UserRecord> complete(Context& context, sasl::UserRecord record, std::vector<std::string> names);

bool may_log_in(const Rules& rules, const sasl::UserRecord& user); // root never

} // namespace auth
