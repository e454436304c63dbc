// engine: c-ares in our loop. One question in, one answer out, in bytes; the only room that knows c-ares.
#pragma once

#include "async/wait.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

struct ares_channeldata;

namespace dns {

// Who waits for one answer. Called once, perhaps from inside ask().
class Asker {
public:
    enum class Result : uint8_t { answered, failed }; // failed: no server gave a usable answer
    virtual void answered(Result result, std::string_view message) = 0;

protected:
    ~Asker() = default;
};

class Engine {
public:
    Engine(const std::vector<std::string>& servers, std::chrono::milliseconds timeout, int tries);
    ~Engine(); // answers `failed` to all who still wait
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    // The asker must live until it is answered.
    void ask(const std::string& name, uint16_t type, Asker& asker);

private:
    struct Socket;
    struct Question;
    void open();
    void close();
    void reopen_when_changed();
    void process(int readable, int writable);
    void start_timer();

    std::vector<std::string> servers_;
    std::chrono::milliseconds timeout_;
    int tries_;
    ares_channeldata* channel_ = nullptr;
    std::unordered_map<int, std::unique_ptr<Socket>> sockets_;
    async::Timer timer_;
    size_t asking_ = 0;
    std::chrono::steady_clock::time_point looked_at_{};
    int64_t resolv_conf_stamp_ = 0;
};

} // namespace dns
