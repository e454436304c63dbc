// daemon: what every program under master does the same: options, configuration, log, rights, serving, drain and stop.
//
// The order of calls in a main is the order of privilege: Daemon (reads configuration as it was started), then what must be opened
// while we still may, then drop_privileges(), then serve(). Options given by master: -n service -t type -c folder -o name=value -v
// -p command word -m maxproc -s N (listening sockets are descriptors 3 to 3+N-1; the control pipe is the next one)
// -S (one more descriptor: memory that the processes of the service share) -r N (the how manyth process of the service: the first is 0).
// SIGTERM: stop now. SIGHUP: drain: take no new work, end when the last session has ended. When the control pipe closes, master is gone: as
// SIGTERM.
// The namespace is daemons, because <unistd.h> has a function daemon().
#pragma once

#include "async/nursery.h"
#include "config/config.h"
#include "ipc/channel.h"
#include "net/listener.h"
#include "sandbox/sandbox.h"

#include <functional>
#include <string>
#include <vector>

namespace daemons {

class Daemon {
public:
    // Exits with a message on standard error and in the log when options or configuration are wrong.
    Daemon(const std::string& program, int argc, char** argv);

    const config::Config& config() const { return config_; }
    const std::string& service() const { return service_; }    // name in master.cf: "smtp", "submission"
    const std::string& command() const { return command_; }    // the word in master.cf: "smtp", "lmtp", "local", "virtual"
    const std::vector<std::string>& arguments() const { return arguments_; }    // of the command in master.cf, without options: pipe's attributes
    int process_limit() const { return process_limit_; }        // maxproc, or default_process_limit; 0: none
    bool is_unix() const { return type_ == "unix"; }
    bool privileged() const { return privileged_; }             // started as root: users are switched
    async::Nursery& nursery() { return nursery_; }
    // For tasks that serve the process itself, not a client: a drained process does not wait for them.
    async::Nursery& background() { return watchers_; }
    void stop_listening();                                      // what waits in the sockets is left to the next process
    const std::vector<int>& listening() const { return listening_; }
    base::Fd take_shared_memory() { return std::move(shared_memory_); }     // ipc::ClientCounts; empty when master gave none
    const std::string& queue_folder() const { return config_.queue_directory; }
    bool draining() const { return draining_; }

    // Becomes the user (a parameter's value such as config().null_owner) and locks the sandbox. Without root: only the sandbox.
    // also_group: a group to stay in, if it exists.
    void drop_privileges(const std::string& user, const sandbox::Rights& rights, const std::string& also_group = {});

    // Where a program that looks things up must be able to read: the system's own folders, the configuration, and the folders of every
    // table and file that the configuration names.
    std::vector<std::string> readable() const;

    // Serves byte streams (inet or Unix): `session` makes a task for each connection. Returns the exit status.
    int serve(std::function<async::Task<>(net::Stream)> session);
    // Serves lib/ipc connections (Unix SOCK_SEQPACKET).
    int serve_channels(std::function<async::Task<>(ipc::Channel)> session);
    // Serves whatever start() set up: just the loop.
    int run();

    // Called once when draining begins (and before the wait for the last session).
    std::function<void()> on_drain;
    // Called at SIGTERM before tasks are destroyed.
    std::function<void()> on_stop;
    // Awaited at SIGTERM before tasks are destroyed: for what must be brought to an end. Master waits a few seconds only.
    std::function<async::Task<>()> before_stop;
    // Other things that must end before a drained process may exit.
    std::function<bool()> busy;

private:
    void drain();
    void stop();
    void watch_master();
    void maybe_finished();

    std::string program_, service_, command_, type_ = "inet";
    config::Config config_;
    std::vector<std::string> arguments_;
    int process_limit_ = 0;
    std::vector<int> listening_;
    int rank_ = 0;
    base::Fd control_, shared_memory_;
    bool privileged_ = false;
    bool draining_ = false;
    bool stopping_ = false;
    async::Nursery listeners_{"listener"};
    async::Nursery watchers_{"watcher"};
    async::Nursery nursery_{"session"};
};

} // namespace daemons
