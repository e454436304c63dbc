// pop3-login: the door of POP3. Lets clients prove who they are and passes the connection on to pop3d; under TLS it stays between.
//
//   started by  master, for each service line pop3-login in master.cf (110 with STLS, 995 with pop3d_tls_wrappermode)
//   trusts      nothing it reads; owns nothing and is nobody
//   gives to    pop3d: connection and ticket, on private/pop3
//   asks        auth: who is this?
//   speaks      RFC 1939 4 (AUTHORIZATION), 2449, 2595 4, 3206, 5034
//   read next   login_session.cpp, then lib/login/visitor.cpp
#include "login_session.h"

#include "login/porter.h"

int main(int argc, char** argv)
{
    daemons::Daemon daemon("pop3-login", argc, argv);
    return login::serve_porter(daemon, "pop3", daemon.config().pop3d_tls_wrappermode, pop3_login::converse);
}
