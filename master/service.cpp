#include "service.h"

#include "base/clock.h"
#include "base/log.h"
#include "ipc/client_counts.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <thread>

namespace master {
namespace {

constexpr int first_descriptor = 3;
constexpr async::Limit shortest_pause{500};
constexpr async::Limit longest_pause{60000};
constexpr auto healthy_life = std::chrono::seconds(10);

unsigned process_count(const config::Service& line, const Program& program)
{
    if (program.count == Count::one) return 1;
    unsigned processors = std::max(1u, std::thread::hardware_concurrency());
    return line.maxproc > 0 ? std::min(processors, static_cast<unsigned>(line.maxproc)) : processors;
}

// In the child: descriptors 3, 4 … become the ones given; the rest closes by itself at exec.
void arrange_descriptors(const std::vector<int>& given)
{
    std::vector<int> high;
    for (int fd : given) high.push_back(::fcntl(fd, F_DUPFD, 100));
    for (size_t i = 0; i < high.size(); ++i) {
        ::dup2(high[i], first_descriptor + static_cast<int>(i));
        ::close(high[i]);
    }
}

[[noreturn]] void become_program(const std::string& path, std::vector<std::string> words, const std::vector<int>& descriptors)
{
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    for (int number : {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGPIPE}) std::signal(number, SIG_DFL);
    arrange_descriptors(descriptors);
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    ::execv(path.c_str(), argv.data());
    base::log::fatal("exec {}: {}", path, base::error_text(errno));
    ::_exit(1);
}

} // namespace

Service::Service(const config::Config& config, config::Service line, const Program& program, std::vector<std::shared_ptr<Socket>> sockets)
    : config_(config), line_(std::move(line)), program_(program), sockets_(std::move(sockets))
{
    int both[2];
    if (::pipe2(both, O_CLOEXEC) != 0) throw base::SystemError("pipe");
    control_theirs_ = base::Fd(both[0]);
    control_ours_ = base::Fd(both[1]);
    if (program_.counts_clients) counts_ = ipc::ClientCounts::make();
}

Service::~Service() = default;

void Service::start()
{
    if (program_.when == When::at_start)
        wanted_.set();
    else
        nursery_.start(wait_for_client());
    for (unsigned slot = 0; slot < process_count(line_, program_); ++slot) nursery_.start(keep_running(slot));
}

async::Task<> Service::wait_for_client()
{
    // All sockets are watched; the first news on any of them is enough.
    for (auto& socket : sockets_) watches_.push_back(std::make_unique<async::Watch>(socket->fd.get()));
    while (!wanted_.ready()) {
        if (watches_.size() == 1)
            co_await async::wait(watches_[0]->readable());
        else if (watches_.size() == 2)
            co_await async::wait_either(watches_[0]->readable(), watches_[1]->readable());
        else
            co_await async::sleep(async::Limit(50));
        for (auto& watch : watches_)
            if (watch->readable().ready()) wanted_.set();
    }
    watches_.clear();
}

async::Task<> Service::keep_running(unsigned slot)
{
    // One Flag has one waiter: the others look at it now and then, which costs nothing while nobody is there.
    if (slot == 0)
        co_await async::wait(wanted_);
    while (!wanted_.ready()) co_await async::sleep(async::Limit(100));
    async::Limit pause = shortest_pause;
    while (!retired_) {
        auto began = base::steady_now();
        async::Child child(spawn(slot));
        children_.push_back(&child);
        co_await async::wait(child);
        children_.remove(&child);
        ended_.set();
        if (retired_) break;
        if (!child.status().success())
            base::log::warning("process {}/{} pid {} {}", config_.daemon_directory, program_.executable, child.pid(), child.status().text());
        if (base::steady_now() - began > healthy_life) {
            pause = shortest_pause;
            if (child.status().signal) continue;    // it served well, and was killed: go on at once
        } else if (pause > shortest_pause) {
            base::log::warning("{}/{}: bad command startup -- throttling", config_.daemon_directory, program_.executable);
        }
        co_await async::sleep(pause);
        pause = std::min(pause * 2, longest_pause);
    }
}

std::vector<std::string> Service::arguments(unsigned slot) const
{
    std::vector<std::string> words = {std::string(program_.executable), "-n", line_.name, "-t", std::string(config::type_word(line_.type)),
                                      "-p", std::string(program_.command), "-c", config_.folder, "-s", std::to_string(sockets_.size()),
                                      "-r", std::to_string(slot)};
    for (const auto& override : line_.overrides) {
        words.push_back("-o");
        words.push_back(override.name + "=" + override.value);
    }
    // $service_name in an override is the service's own.
    words.push_back("-o");
    words.push_back("service_name=" + line_.name);
    if (line_.verbose > 0) words.push_back("-v");
    if (counts_) words.push_back("-S");
    if (line_.maxproc >= 0) {
        words.push_back("-m");
        words.push_back(std::to_string(line_.maxproc));
    }
    auto plain = line_.plain_arguments();
    if (!plain.empty()) words.push_back("--");
    words.insert(words.end(), plain.begin(), plain.end());
    return words;
}

pid_t Service::spawn(unsigned slot)
{
    std::vector<int> descriptors;
    for (auto& socket : sockets_) descriptors.push_back(socket->fd.get());
    descriptors.push_back(control_theirs_.get());
    if (counts_) descriptors.push_back(counts_.get());
    std::string path = config_.daemon_directory + "/" + std::string(program_.executable);
    auto words = arguments(slot);
    base::log::flush();
    pid_t pid = ::fork();
    if (pid < 0) throw base::SystemError("fork");
    if (pid == 0) become_program(path, std::move(words), descriptors);
    return pid;
}

void Service::signal(int number)
{
    for (auto* child : children_) child->kill(number);
}

void Service::retire(int number)
{
    retired_ = true;
    signal(number);
}

} // namespace master
