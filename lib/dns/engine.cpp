#include "dns/engine.h"

#include "base/error.h"
#include "base/text.h"

#include <ares.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <sys/stat.h>

#include <utility>

namespace dns {
namespace {

constexpr const char* resolv_conf = "/etc/resolv.conf";
constexpr std::chrono::seconds look_every{5};
// RFC 6891 6.2.3; the size that passes unfragmented nearly everywhere.
constexpr int udp_answer_size = 1232;

int64_t stamp_of(const char* path)
{
    struct stat file {};
    if (::stat(path, &file) != 0) return 0;
    return static_cast<int64_t>(file.st_mtim.tv_sec) * 1'000'000'000 + file.st_mtim.tv_nsec +
           static_cast<int64_t>(file.st_ino);
}

} // namespace

// A socket of c-ares. Level-triggered, unlike async::Watch: c-ares does not always read until the kernel has no more.
struct Engine::Socket {
    Socket(Engine& engine, int fd, short events) : engine(engine)
    {
        event_assign(&watch, async::loop().base(), fd, static_cast<short>(events | EV_PERSIST), ready, this);
        event_add(&watch, nullptr);
    }
    ~Socket() { event_del(&watch); }

    static void ready(evutil_socket_t fd, short what, void* self)
    {
        Engine& engine = static_cast<Socket*>(self)->engine;
        engine.process(what & EV_READ ? fd : ARES_SOCKET_BAD, what & EV_WRITE ? fd : ARES_SOCKET_BAD);
        async::loop().drain();
    }

    Engine& engine;
    event watch;
};

struct Engine::Question {
    Engine& engine;
    Asker& asker;
};

Engine::Engine(const std::vector<std::string>& servers, std::chrono::milliseconds timeout, int tries)
    : servers_(servers), timeout_(timeout), tries_(tries)
{
    static const int library = ares_library_init(ARES_LIB_INIT_ALL);
    if (library != ARES_SUCCESS) throw base::SystemError("c-ares", ENOSYS);
    open();
}

Engine::~Engine() { close(); }

void Engine::open()
{
    ares_options options{};
    options.flags = ARES_FLAG_EDNS;
    options.ednspsz = udp_answer_size;
    options.timeout = static_cast<int>(timeout_.count());
    options.tries = tries_;
    options.sock_state_cb_data = this;
    options.sock_state_cb = [](void* data, ares_socket_t fd, int readable, int writable) {
        auto& engine = *static_cast<Engine*>(data);
        engine.sockets_.erase(fd);
        auto events = static_cast<short>((readable ? EV_READ : 0) | (writable ? EV_WRITE : 0));
        if (events) engine.sockets_.emplace(fd, std::make_unique<Socket>(engine, fd, events));
    };
    int given = ARES_OPT_FLAGS | ARES_OPT_EDNSPSZ | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
    resolv_conf_stamp_ = stamp_of(resolv_conf);
    looked_at_ = std::chrono::steady_clock::now();
    int result = ares_init_options(&channel_, &options, given);
    if (result != ARES_SUCCESS) throw base::SystemError(std::string("c-ares: ") + ares_strerror(result), EINVAL);
    if (servers_.empty()) return;
    result = ares_set_servers_ports_csv(channel_, base::join(servers_, ",").c_str());
    if (result != ARES_SUCCESS) throw base::SystemError(std::string("name servers: ") + ares_strerror(result), EINVAL);
}

void Engine::close()
{
    timer_.stop();
    if (channel_) ares_destroy(std::exchange(channel_, nullptr));
    sockets_.clear();
}

// A laptop changes its network under a running daemon.
void Engine::reopen_when_changed()
{
    auto now = std::chrono::steady_clock::now();
    if (asking_ > 0 || !servers_.empty() || now - looked_at_ < look_every) return;
    looked_at_ = now;
    if (stamp_of(resolv_conf) == resolv_conf_stamp_) return;
    close();
    open();
}

void Engine::ask(const std::string& name, uint16_t type, Asker& asker)
{
    reopen_when_changed();
    auto done = [](void* argument, int status, int, unsigned char* bytes, int size) {
        std::unique_ptr<Question> question(static_cast<Question*>(argument));
        --question->engine.asking_;
        // These three come with the server's message; anything else says that there is none to trust.
        bool usable = status == ARES_SUCCESS || status == ARES_ENODATA || status == ARES_ENOTFOUND;
        if (usable && bytes && size > 0)
            question->asker.answered(Asker::Result::answered,
                                     {reinterpret_cast<const char*>(bytes), static_cast<size_t>(size)});
        else
            question->asker.answered(Asker::Result::failed, {});
    };
    ++asking_;
    ares_query(channel_, name.c_str(), 1, type, done, new Question{*this, asker});
    start_timer();
}

void Engine::process(int readable, int writable)
{
    ares_process_fd(channel_, readable, writable);
    start_timer();
}

void Engine::start_timer()
{
    timeval next{};
    if (!ares_timeout(channel_, nullptr, &next)) return timer_.stop();
    // Rounded up: a timer that fires early would only be set again.
    async::Limit after{next.tv_sec * 1000 + next.tv_usec / 1000 + 1};
    auto expired = [](void* self) { static_cast<Engine*>(self)->process(ARES_SOCKET_BAD, ARES_SOCKET_BAD); };
    timer_.start(after, expired, this);
}

} // namespace dns
