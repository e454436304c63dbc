// login_session: IMAP's dialogue in the not authenticated state.
#pragma once

#include "login/visitor.h"

namespace imap_login {

async::Task<> converse(login::Visitor& visitor);

} // namespace imap_login
