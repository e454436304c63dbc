// talk: a client's end of a session with smtpd over a socket pair, its queue manager a script.
#pragma once

#include "session.h"

#include "../async/run_task.h"
#include "../spool/fake_manager.h"
#include "base/log.h"
#include "base/text.h"
#include "catch.h"
#include "spool/queue_file.h"

#include <sys/socket.h>

inline const char* base_settings = "myhostname = mail.example.org\nmydestination = example.org\nmynetworks = 192.0.2.0/24\nsmtpd_peername_lookup = no\n"
                            "local_recipient_maps =\nalias_maps =\nsmtpd_error_sleep_time = 0\nsmtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination\n"
                            "message_size_limit = 10000\nsmtpd_recipient_limit = 5\nsmtpd_hard_error_limit = 6\nsmtpd_tls_security_level = none\n";

struct Talk {
    explicit Talk(const std::string& settings = {}, bool letterbox = false)
    {
        std::filesystem::create_directory(scratch / "private");
        base::log::open("postfix/smtpd", scratch / "log");
        manager = std::make_unique<FakeManager>(scratch, "private/qmgr");
        config = config::Config::parse(base_settings + ("queue_directory = " + scratch.path()) + "\n" + settings, "main.cf");
        service = std::make_unique<smtpd::Service>(config, nursery, letterbox);
        int both[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both) == 0);
        client = base::Fd(both[1]);
        // A client from outside: only the letterbox asks the socket who it is.
        auto peer = letterbox ? net::Address::unix_path("") : *net::Address::parse_ip("198.51.100.7", 4711);
        nursery.start(smtpd::serve(net::Stream(base::Fd(both[0]), peer), *service));
    }
    ~Talk()
    {
        nursery.cancel();
        base::log::flush();
        base::log::to_stderr("test");
    }

    // Sends, and returns what comes back until the other side is quiet (or has closed).
    std::string say(std::string_view bytes)
    {
        if (!bytes.empty()) base::write_all(client.get(), bytes, "client");
        std::string got;
        int quiet = 0;
        // A reply is complete when a line "NNN text" has come and nothing follows.
        run_until([&] {
            char part[65536];
            ssize_t count = ::recv(client.get(), part, sizeof part, MSG_DONTWAIT);
            if (count == 0) closed = true;
            if (count > 0) {
                got.append(part, static_cast<size_t>(count));
                quiet = 0;
            }
            return closed || (++quiet > 2 && !got.empty());
        }, std::chrono::seconds(5));
        return got;
    }
    // The codes of the replies.
    std::string codes(std::string_view bytes)
    {
        std::string found;
        std::string replies = say(bytes);
        for (auto line : base::split(replies, "\r\n"))
            if (line.size() == 3 || line[3] == ' ') found += (found.empty() ? "" : " ") + std::string(line.substr(0, 3));
        return found;
    }
    bool told(const std::string& words)
    {
        return run_until([&] { return std::count(manager->told.begin(), manager->told.end(), words) > 0; }, std::chrono::seconds(3));
    }
    size_t commits() const
    {
        return static_cast<size_t>(std::count_if(manager->told.begin(), manager->told.end(), [](const auto& words) { return words.find("commit") == 0; }));
    }
    std::string log() const
    {
        base::log::flush();
        return base::read_file(scratch / "log");
    }
    std::string content(const std::string& id)
    {
        base::Fd fd = scratch.file(id);
        message = spool::read_message(fd.get(), id, true);
        return spool::read_content(fd.get(), message.head, id);
    }

    Scratch scratch;
    std::unique_ptr<FakeManager> manager;
    config::Config config;
    async::Nursery nursery{"test"};
    std::unique_ptr<smtpd::Service> service;
    base::Fd client;
    bool closed = false;
    spool::StoredMessage message;
};

struct Greeted : Talk {
    explicit Greeted(const std::string& settings = {}) : Talk(settings)
    {
        CHECK(codes("") == "220");
        CHECK(codes("EHLO client.example\r\n") == "250");
    }
};

inline bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }
