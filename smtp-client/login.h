// login: AUTH towards a server that we have a password for (RFC 4954).
#pragma once

#include "session.h"

#include <optional>

namespace smtp_client {

// After EHLO, where the server offers AUTH. Nothing when we are logged in, or are to talk as strangers; else why the
// mail cannot go by this server. Throws net::Gone, smtp::BadReply.
async::Task<std::optional<Problem>> log_in(Context& context, Session& session, const Purpose& purpose);

// Whether we have a password for that server. False also where that cannot be found out.
bool has_login(Context& context, const Host& host, const Purpose& purpose);

} // namespace smtp_client
