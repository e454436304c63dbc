// mail_server: a server that plays dialogues by the book, one a connection, in the test's own loop; and what a delivery needs around it.
#pragma once

#include "../dns/name_server.h"
#include "base/log.h"
#include "base/text.h"
#include "deliver.h"
#include "net/listener.h"

#include <unistd.h>

#include <deque>

namespace testing {

// Lines of a dialogue: "> 220 hello" is said, "< MAIL FROM:<a@b>" must come next, "<data" reads content up to the dot, "<close" waits
// until the client has closed, "close" hangs up, "tls" does the handshake.
using Dialogue = std::vector<std::string>;

class MailServer {
public:
    explicit MailServer(std::vector<Dialogue> dialogues) : dialogues_(dialogues.begin(), dialogues.end())
    {
        listening_ = net::listen_on(*net::Address::parse_ip("127.0.0.1", 0));
        sockaddr_in mine{};
        socklen_t size = sizeof mine;
        ::getsockname(listening_.get(), reinterpret_cast<sockaddr*>(&mine), &size);
        port = ntohs(mine.sin_port);
        auto take = [this](base::Fd fd, net::Address peer) { nursery_.start(play(*this, net::Stream(std::move(fd), peer))); };
        nursery_.start(net::accept_connections(listening_.get(), take));
    }

    const tls::ServerContext* tls = nullptr;
    bool hold = false;                      // at the end of the dialogue: neither read nor hang up
    uint16_t port = 0;
    std::vector<std::string> contents;      // what came by DATA, dots as they came
    std::string fault;                      // the first thing that was not by the book
    size_t connections = 0;
    size_t left() const { return dialogues_.size(); }
    std::string nexthop() const { return "[127.0.0.1]:" + std::to_string(port); }

private:
    static async::Task<> play(MailServer& self, net::Stream stream)
    {
        ++self.connections;
        if (self.dialogues_.empty()) {
            self.blame("one connection too many");
            co_return;
        }
        Dialogue dialogue = std::move(self.dialogues_.front());
        self.dialogues_.pop_front();
        std::string at;
        try {
            for (const auto& line : dialogue) {
                at = line;
                if (line == "close") break;
                if (line == "<close") {
                    bool more = co_await stream.fill_or_end(net::Limit(5000));
                    if (more) self.blame("not closed, but: " + std::string(stream.buffered()));
                } else if (line == "tls") {
                    co_await tls::accept(stream, *self.tls, net::Limit(5000));
                } else if (line == "<data") {
                    co_await self.read_content(stream);
                } else if (line[0] == '>') {
                    stream.write(line.substr(2) + "\r\n");
                    co_await stream.flush(net::Limit(5000));
                } else {
                    std::string_view got = co_await stream.line(net::Limit(5000), 5000);
                    if (got != line.substr(2)) self.blame("expected \"" + line.substr(2) + "\", got \"" + std::string(got) + "\"");
                }
            }
            if (self.hold) co_await async::sleep(net::no_limit);
        } catch (const tls::Failed& failure) {
            self.blame("TLS: " + std::string(failure.what()));
        } catch (const net::Gone& gone) {
            self.blame("at \"" + at + "\": " + gone.what());
        }
    }
    async::Task<> read_content(net::Stream& stream)
    {
        std::string content;
        while (true) {
            std::string_view line = co_await stream.line(net::Limit(5000), 1 << 20);
            if (line == ".") break;
            content += std::string(line) + "\n";
        }
        contents.push_back(std::move(content));
    }
    void blame(const std::string& what)
    {
        if (fault.empty()) fault = what;
    }

    std::deque<Dialogue> dialogues_;
    base::Fd listening_;
    async::Nursery nursery_{"mail server"};
};

inline base::Fd file_with(const std::string& bytes)
{
    char path[] = "/tmp/rookpost-content-XXXXXX";
    base::Fd file(::mkstemp(path));
    ::unlink(path);
    base::write_all(file.get(), bytes, path);
    return file;
}

inline spool::Deliver job_for(const std::string& nexthop, const std::vector<std::string>& recipients, const std::string& content = "Subject: x\r\n\r\nhello\r\n")
{
    spool::Deliver job;
    job.queue_id = "4abc";
    job.file = file_with("JUNK" + content);
    job.content_offset = 4;
    job.content_length = content.size();
    job.sender = "me@here.test";
    job.nexthop = nexthop;
    for (const auto& each : recipients) {
        spool::Recipient recipient;
        recipient.number = static_cast<uint32_t>(100 + job.recipients.size());
        recipient.address = each;
        job.recipients.push_back(std::move(recipient));
    }
    return job;
}

inline smtp_client::Settings settings_for_tests()
{
    smtp_client::Settings settings;
    settings.myhostname = settings.helo_name = "here.test";
    settings.randomize = false;
    settings.families = dns::Families::ipv4;
    return settings;
}

// As main.cf would name them.
inline std::unique_ptr<smtp_client::Tables> tables_of(const std::string& main_cf, bool lmtp = false)
{
    auto config = config::Config::parse("myhostname = here.test\nmydestination = here.test\n" + main_cf, "main.cf");
    return std::make_unique<smtp_client::Tables>(config, lmtp);
}

inline dns::Options no_dns()
{
    dns::Options options;
    options.servers = {"127.0.0.1:9"};
    options.timeout = std::chrono::milliseconds(20);
    options.tries = 1;
    options.hosts_file = "/nonexistent";
    return options;
}

struct Sender {
    explicit Sender(smtp_client::Settings settings = settings_for_tests(), dns::Options options = no_dns(),
                    const tls::ClientContext* tls = nullptr, std::unique_ptr<smtp_client::Tables> tables = {})
        : resolver(options), agent(std::move(settings), resolver, tls, std::move(tables))
    {
        base::log::open("test", "/dev/null");
    }
    spool::Done send(const spool::Deliver& job) { return run(smtp_client::deliver(agent, job)); }

    dns::Resolver resolver;
    smtp_client::Agent agent;
};

// "delivered 2.0.0 text|deferred …", in the order of the recipients.
inline std::string text_of(const spool::Done& done)
{
    constexpr const char* words[] = {"delivered", "deferred", "bounced", "handed on"};
    std::map<uint32_t, std::string> lines;
    for (const auto& each : done.outcomes) lines[each.number] += std::string(words[each.status]) + " " + each.dsn + " " + each.text;
    std::string text;
    for (const auto& [number, line] : lines) text += (text.empty() ? "" : "|") + line;
    return base::replace_all(text, "127.0.0.1[127.0.0.1]", "HOST");
}

inline void settle_connections()
{
    for (int i = 0; i < 20; ++i) async::loop().run_once(async::Limit(1));
}

} // namespace testing
