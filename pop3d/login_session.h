// login_session: POP3's dialogue in the AUTHORIZATION state.
#pragma once

#include "login/visitor.h"

namespace pop3_login {

async::Task<> converse(login::Visitor& visitor);

} // namespace pop3_login
