// fake_manager: a queue manager that gives files and remembers what it is told.
#pragma once

#include "async/nursery.h"
#include "async/watch.h"
#include "base/text.h"
#include "ipc/channel.h"
#include "scratch.h"
#include "spool/messages.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

class FakeManager {
public:
    explicit FakeManager(const Scratch& scratch, std::string socket = "qmgr") : scratch_(scratch), socket_(std::move(socket)) { listen(); }

    void listen()
    {
        std::filesystem::remove(path());
        listening_ = base::Fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strcpy(address.sun_path, path().c_str());
        if (::bind(listening_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || ::listen(listening_.get(), 16) != 0)
            throw base::SystemError("listen on " + path());
        nursery_.start(accept());
    }
    void die()
    {
        nursery_.cancel();
        channels_.clear();
        listening_.reset();
    }
    std::string path() const { return scratch_ / socket_; }
    std::string file(const std::string& id) const { return scratch_ / id; }
    ipc::Channel& channel() { return *channels_.back(); }
    size_t connections() const { return channels_.size(); }

    bool answers = true;
    spool::Verified verdict;                    // of every address
    std::string problem;                        // given instead of a file
    std::vector<std::string> told;              // "commit ID", "abandon ID", "offer", "picked NAME VERDICT"
    std::vector<uint64_t> asked;

    void give(ipc::Channel& channel, uint64_t request)
    {
        spool::Created created;
        created.request = request;
        created.problem = problem;
        if (problem.empty()) {
            created.id = "ID" + std::to_string(++given_);
            created.file = scratch_.file(created.id);
        }
        channel.post(std::move(created));
    }

private:
    async::Task<> accept()
    {
        async::Watch watch(listening_.get());
        while (true) {
            co_await async::wait(watch.readable());
            base::Fd fd(::accept4(listening_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
            if (!fd) {
                watch.clear_readable();
                continue;
            }
            channels_.push_back(std::make_unique<ipc::Channel>(std::move(fd)));
            nursery_.start(serve(*channels_.back()));
        }
    }

    async::Task<> serve(ipc::Channel& channel)
    {
        while (true) {
            auto packet = co_await channel.receive();
            if (!packet) break;
            if (packet->type == spool::Create::type) {
                asked.push_back(ipc::unpack<spool::Create>(*packet).request);
                if (answers) give(channel, asked.back());
            } else if (packet->type == spool::Commit::type) {
                told.push_back("commit " + ipc::unpack<spool::Commit>(*packet).id);
            } else if (packet->type == spool::Abandon::type) {
                told.push_back("abandon " + ipc::unpack<spool::Abandon>(*packet).id);
            } else if (packet->type == spool::Command::type) {
                told.push_back("command " + base::join(ipc::unpack<spool::Command>(*packet).words, " "));
                spool::Answer answer;
                answer.end = true;
                channel.post(std::move(answer));
            } else if (packet->type == spool::Verify::type) {
                auto question = ipc::unpack<spool::Verify>(*packet);
                told.push_back(fmt::format("verify {} {}", question.address, question.wait));
                spool::Verified answer = verdict;
                answer.request = question.request;
                if (answers) channel.post(std::move(answer));
            } else if (packet->type == spool::OfferPickup::type) {
                told.push_back("offer");
            } else if (packet->type == spool::PickedUp::type) {
                auto verdict = ipc::unpack<spool::PickedUp>(*packet);
                told.push_back(fmt::format("picked {} {}", verdict.name, static_cast<int>(verdict.verdict)));
            }
        }
    }

    const Scratch& scratch_;
    std::string socket_;
    base::Fd listening_;
    std::vector<std::unique_ptr<ipc::Channel>> channels_;
    int given_ = 0;
    async::Nursery nursery_{"fake queue manager"};
};
