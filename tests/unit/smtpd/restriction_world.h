// restriction_world: a session without a dialogue, its restriction lists, and a scripted DNS.
#pragma once

#include "restrictions/stages.h"
#include "session.h"

#include "../async/run_task.h"
#include "../dns/name_server.h"
#include "../spool/scratch.h"
#include "base/log.h"
#include "base/text.h"
#include "catch.h"

#include <sys/socket.h>

#include <fstream>

// A client mx.example.net[192.0.2.7] that says HELO mx.example.net and MAIL FROM:<joe@example.net>, before RCPT TO:<ann@example.org>.
struct World {
    explicit World(const std::string& settings = {})
    {
        base::log::open("postfix/smtpd", scratch / "log");
        config = config::Config::parse("myhostname = mail.example.org\nmyorigin = example.org\nmydestination = example.org\nmynetworks = 198.51.100.0/24\nalias_maps =\n"
                                       "local_recipient_maps = inline:{ann=x, bob=x}\nrelay_domains = relay.example\nrecipient_delimiter = +\n"
                                       "smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination\ninet_interfaces = 127.0.0.1\n"
                                       "queue_directory = " + scratch.path() + "\n" + settings, "main.cf");
        dns::Options options;
        options.servers = {names.address()};
        options.timeout = std::chrono::milliseconds(300);
        options.tries = 1;
        service = std::make_unique<smtpd::Service>(config, nursery, false, options);
        int both[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both) == 0);
        peer = base::Fd(both[1]);
        session.emplace(net::Stream(base::Fd(both[0]), *net::Address::parse_ip("192.0.2.7", 4711)), *service);
        auto& client = session->client;
        client.name = client.reverse_name = "mx.example.net";
        client.name_status = client.reverse_status = smtpd::NameStatus::known;
        client.address = "192.0.2.7";
        client.helo = "mx.example.net";
        client.protocol = "ESMTP";
        set_sender("joe@example.net");
    }
    ~World()
    {
        nursery.cancel();    // its tasks know the service
        base::log::flush();
        base::log::to_stderr("test");
    }

    void set_sender(const std::string& address)
    {
        session->mail.emplace();
        session->mail->mail.sender = smtp::Path::from_internal(address);
        session->mail->sender = address;
    }
    void nobody(const std::string& name, unsigned type) { names.on(name, type).rcode = 3; names.on(name, type).soa(60); }
    void nothing(const std::string& name, unsigned type) { names.on(name, type).soa(60); }
    void address(const std::string& name, const std::string& ip) { names.on(name, 1).record(name, 1, 60, testing::a_data(ip)); }
    void text(const std::string& name, const std::string& words)
    {
        names.on(name, 16).record(name, 16, 60, std::string(1, static_cast<char>(words.size())) + words);
    }

    // The whole reply, "" when nobody objects.
    std::string rcpt(const std::string& recipient = "ann@example.org")
    {
        return line(testing::run(smtpd::restrictions::check_recipient(*session, "RCPT", session->mail->mail.sender.address, recipient)));
    }
    static std::string line(const smtpd::restrictions::Refusal& refusal) { return refusal ? refusal->line() : ""; }
    std::string log() const
    {
        base::log::flush();
        return base::read_file(scratch / "log");
    }
    bool logged(const std::string& part) const { return log().find(part) != std::string::npos; }

    Scratch scratch;
    testing::NameServer names;
    config::Config config;
    async::Nursery nursery{"test"};
    std::unique_ptr<smtpd::Service> service;
    base::Fd peer;
    std::optional<smtpd::Session> session;
};
