// auth: says who a password belongs to.
//
//   started by  master: "auth unix" in master.cf; a socket named auth-master serves the second protocol
//   trusts      the password sources alone; stays root (or in group shadow) to read them and to ask PAM
//   answers     smtpd and the login stages: is this the password?   Session stages, local delivery: who is that?
//   speaks      Dovecot's auth protocol 1.2 and auth-master protocol; RFC 4422, 4616, 2195, 5802, 7677, 7628
//   read next   client_session.cpp, mechanisms.cpp, verify.cpp, source.h

#include "client_session.h"
#include "daemon/daemon.h"
#include "master_session.h"
#include "rules.h"

namespace {

bool is_master_socket(const net::Stream& stream, const std::string& service)
{
    if (service == "auth-master") return true;
    sockaddr_un own{};
    socklen_t size = sizeof own;
    if (::getsockname(stream.fd(), reinterpret_cast<sockaddr*>(&own), &size) != 0 || own.sun_family != AF_UNIX)
        return false;
    return std::string_view(own.sun_path).ends_with("auth-master");
}

} // namespace

int main(int argc, char** argv)
{
    daemons::Daemon daemon("auth", argc, argv);

    auth::Context context(auth::rules_of(daemon.config()));

    // PAM's modules read and write where they like, ask the network (LDAP), and some start helpers.
    sandbox::Rights rights;
    rights.network = true;
    rights.fork_and_exec = context.asks_pam();
    rights.read = {"/"};
    rights.write = {daemon.queue_folder()};
    daemon.drop_privileges("", rights);
    daemon.on_drain = [&] { context.drain(); };

    return daemon.serve([&](net::Stream stream) {
        if (is_master_socket(stream, daemon.service())) return auth::serve_master(std::move(stream), context);
        return auth::serve_client(std::move(stream), context);
    });
}
