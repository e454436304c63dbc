#include "login/worker.h"

#include "async/nursery.h"
#include "base/log.h"
#include "ipc/channel.h"
#include "sandbox/sandbox.h"

#include <unistd.h>

#include <csignal>
#include <set>

namespace login {
namespace {

// Other people's connections and our listening sockets are the supervisor's.
void close_all_but(const std::set<int>& kept)
{
    int first = STDERR_FILENO + 1;
    for (int fd : kept) {
        if (fd < first) continue;
        if (fd > first) ::close_range(static_cast<unsigned>(first), static_cast<unsigned>(fd) - 1, 0);
        first = fd + 1;
    }
    ::close_range(static_cast<unsigned>(first), ~0U, 0);
}

// The name is the one the system has for the uid and not the mail user's, who may be called like somebody else.
void become_user(const WorkerSettings& settings)
{
    sandbox::User user;
    user.name = std::to_string(settings.uid);
    bool known = true;
    try {
        user.name = sandbox::find_user(settings.uid).name;
    } catch (const std::exception&) {
        known = false;
    }
    user.uid = settings.uid;
    user.gid = settings.gid;
    sandbox::become(user, known);
}

void give_up_rights(const WorkerSettings& settings)
{
    if (settings.change_user) become_user(settings);
    if (!settings.sandboxed) return;
    sandbox::Rights rights;
    rights.write = {"/"};       // a uid's mail may lie anywhere; the uid is the wall
    for (const auto& missing : sandbox::lock(rights)) base::log::debug("sandbox: {}", missing);
}

async::Task<> serve_one(ipc::Channel& channel, const SessionFunction& function, Serve serve)
{
    HandOver& given = serve.hand_over;
    Session session;
    session.user = serve.user;
    session.uid = serve.uid;
    session.gid = serve.gid;
    session.home = serve.home;
    session.mail_location = serve.mail_location;
    session.tag = given.tag;
    session.session_id = given.session_id;
    session.remote = given.remote;
    session.local = given.local;
    session.secured = given.secured;
    std::string trouble;
    try {
        net::Stream stream(std::move(given.connection), net::Address::parse_ip(given.remote, 0).value_or(net::Address::unix_path("")));
        stream.preload(given.pending);
        co_await function(std::move(stream), std::move(session));
    } catch (const std::exception& failure) {
        trouble = failure.what();
    }
    if (!trouble.empty()) base::log::error("{}: session of {}: {}", given.session_id, serve.user, trouble);
    Ended ended{serve.number};
    channel.post(ended);
}

async::Task<> serve_all(ipc::Channel& channel, async::Nursery& sessions, const SessionFunction& function)
{
    try {
        while (auto packet = co_await channel.receive()) sessions.start(serve_one(channel, function, ipc::unpack<Serve>(*packet)));
    } catch (const std::exception& failure) {
        base::log::error("from the supervisor: {}", failure.what());
    }
    co_await async::wait(sessions.empty());
    async::loop().stop();
}

void serve_until_done(base::Fd fd, const SessionFunction& function)
{
    async::loop().after_round([] { base::log::flush(); });
    for (int number : {SIGTERM, SIGINT}) async::loop().on_signal(number, [] { async::loop().stop(); });
    std::signal(SIGHUP, SIG_IGN);       // the supervisor's business
    ipc::Channel channel(std::move(fd));
    async::Nursery sessions("session");
    async::Nursery reader("worker");
    reader.start(serve_all(channel, sessions, function));
    async::loop().run();
    reader.cancel();
    sessions.cancel();
}

} // namespace

void run_worker(base::Fd channel, const WorkerSettings& settings, const SessionFunction& session)
{
    int status = 0;
    try {
        async::new_loop_after_fork();
        close_all_but({channel.get(), base::log::descriptor()});
        give_up_rights(settings);
        serve_until_done(std::move(channel), session);
    } catch (const std::exception& failure) {
        base::log::fatal("{}", failure.what());
        status = 1;
    }
    base::log::flush();
    ::_exit(status);
}

} // namespace login
