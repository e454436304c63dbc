// door: a login stage in a test, between a client, an auth of a few users, and a session stage that takes whoever comes.
#pragma once

#include "peer.h"

#include "async/nursery.h"
#include "base/log.h"
#include "base/text.h"
#include "ipc/channel.h"
#include "login/hand_over.h"
#include "login/porter.h"
#include "login/visitor.h"
#include "net/listener.h"

#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

// Users: anna with "secret word"; "down" finds auth in trouble; "off" is disabled. PLAIN, and STEPS, which asks for "yes" and has the
// last word "bye".
class FakeAuth {
public:
    base::Fd connect()
    {
        int pair[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) throw base::SystemError("socketpair");
        net::Stream stream(base::Fd(pair[0]), net::Address::unix_path(""));
        nursery_.start(serve(std::move(stream), *this));
        return base::Fd(pair[1]);
    }
    std::vector<std::string> heard;     // AUTH lines

private:
    static std::string verdict(const std::string& id, std::string_view response)
    {
        auto parts = base::split_exact(response, '\0');
        std::string user(parts.size() == 3 ? parts[1] : "");
        if (user == "down") return "FAIL\t" + id + "\tuser=down\ttemp\n";
        if (user == "off") return "FAIL\t" + id + "\tuser=off\tuser_disabled\n";
        if (user == "anna" && parts[2] == "secret word") return "OK\t" + id + "\tuser=anna\n";
        return "FAIL\t" + id + "\tuser=" + user + "\n";
    }

    static async::Task<> serve(net::Stream stream, FakeAuth& self)
    {
        stream.write("VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tSTEPS\tactive\nSPID\t77\nCUID\t1\n"
                     "COOKIE\t0123456789abcdef0123456789abcdef\nDONE\n");
        std::map<std::string, std::string> mechanisms;
        while (true) {
            co_await stream.flush(async::no_limit);
            auto text = co_await stream.line(async::no_limit, 32768);
            std::string line(text);
            auto fields = base::split_exact(line, '\t');
            if (fields[0] != "AUTH" && fields[0] != "CONT") continue;
            std::string id(fields[1]);
            std::string response;
            if (fields[0] == "AUTH") {
                self.heard.push_back(line);
                mechanisms[id] = fields[2];
                if (!fields.back().starts_with("resp=")) {
                    stream.write("CONT\t" + id + "\t" + (fields[2] == "STEPS" ? base::to_base64("sure?") : "") + "\n");
                    continue;
                }
                response = base::from_base64(fields.back().substr(5)).value_or("");
            } else {
                response = base::from_base64(fields[2]).value_or("");
            }
            if (mechanisms[id] == "STEPS")
                stream.write(response == "yes" ? "OK\t" + id + "\tuser=anna\tresp=" + base::to_base64("bye") + "\n" : "FAIL\t" + id + "\n");
            else
                stream.write(verdict(id, response));
        }
    }

    async::Nursery nursery_{"auth"};
};

class FakeSessionStage {
public:
    explicit FakeSessionStage(const std::string& path)
        : listening_(net::listen_on(net::Address::unix_path(path), 10, SOCK_SEQPACKET))
    {
        auto take = [this](base::Fd fd, net::Address) { nursery_.start(serve(ipc::Channel(std::move(fd)), *this)); };
        nursery_.start(net::accept_connections(listening_.get(), take));
    }
    login::HandedOver::Verdict verdict = login::HandedOver::taken;
    std::vector<login::HandOver> taken;

private:
    static async::Task<> serve(ipc::Channel channel, FakeSessionStage& self)
    {
        auto packet = co_await channel.receive();
        auto message = ipc::unpack<login::HandOver>(*packet);
        login::HandedOver answer;
        answer.verdict = self.verdict;
        answer.pid = 4711;
        if (answer.verdict == login::HandedOver::taken) self.taken.push_back(std::move(message));
        channel.post(answer);
    }
    base::Fd listening_;
    async::Nursery nursery_{"session stage"};
};

class Door {
public:
    Door(const std::string& protocol, login::Porter::Converse converse, login::Rules with = {}, std::optional<tls::ServerContext> tls = {})
        : folder(make_folder()), sessions(folder + "/sessions"), porter(rules(protocol, std::move(with)), std::move(tls), converse)
    {
        base::log::open("test", folder + "/log");
        porter.auth().connect_by([this] { return net::Stream(auth.connect(), net::Address::unix_path("")); });
    }
    ~Door()
    {
        visits.cancel();
        base::log::to_stderr("test");
        std::error_code ignored;
        std::filesystem::remove_all(folder, ignored);
    }
    Door(const Door&) = delete;

    void admit(Peer& peer, const std::string& from = "127.0.0.1")
    {
        visits.start(porter.receive(net::Stream(peer.theirs(), *net::Address::parse_ip(from, 40000))));
    }
    // The session stage's end of the latest connection.
    Peer session()
    {
        run_until([this] { return !sessions.taken.empty(); });
        return Peer(std::move(sessions.taken.back().connection));
    }
    std::string log()
    {
        run_until([this] { return visits.size() == 0; });
        return log_so_far();
    }
    std::string log_so_far()
    {
        base::log::flush();
        return base::read_file(folder + "/log");
    }

    std::string folder;
    FakeAuth auth;
    FakeSessionStage sessions;
    login::Porter porter;
    async::Nursery visits{"visit"};

private:
    static std::string make_folder()
    {
        char name[] = "/tmp/login_test.XXXXXX";
        if (!::mkdtemp(name)) throw base::SystemError("mkdtemp");
        return name;
    }
    login::Rules rules(const std::string& protocol, login::Rules with) const
    {
        with.protocol = protocol;
        with.session_socket = folder + "/sessions";
        with.greeting = "Ready.";
        with.too_late = "too late";
        return with;
    }
};

inline bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }
