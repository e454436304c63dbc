// imap-login: the door of IMAP. Lets clients prove who they are and passes the connection on to imapd; under TLS it stays between.
//
//   started by  master, for each service line imap-login in master.cf (143 with STARTTLS, 993 with imapd_tls_wrappermode)
//   trusts      nothing it reads; owns nothing and is nobody
//   gives to    imapd: connection and ticket, on private/imap
//   asks        auth: who is this?
//   speaks      RFC 3501 and 9051 before authentication, RFC 2595, 2971, 4422, 4959, 7888
//   read next   login_session.cpp, then lib/login/visitor.cpp
#include "login_session.h"

#include "login/porter.h"

int main(int argc, char** argv)
{
    daemons::Daemon daemon("imap-login", argc, argv);
    return login::serve_porter(daemon, "imap", daemon.config().imapd_tls_wrappermode, imap_login::converse);
}
