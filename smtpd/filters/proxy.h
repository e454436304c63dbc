// proxy: a before-queue filter (smtpd_proxy_filter of Postfix's SMTPD_PROXY_README): the commands of a message that we let pass, and its content,
// go to it by SMTP, and what it answers is what the client hears. With smtpd_proxy_options = speed_adjust it hears of the message
// when all of it is there. No queue file is ours then: what comes of the message is the filter's.
#pragma once

#include "net/stream.h"
#include "smtp/data.h"
#include "smtp/ehlo.h"
#include "smtp/reply.h"
#include "spool/maker.h"

#include <optional>
#include <string>
#include <vector>

namespace smtpd {

struct Session;

class Proxy {
public:
    // What the client hears instead of our own reply.
    using Refusal = std::optional<smtp::Reply>;

    // session must outlive it. mail: the whole command, as the client gave it.
    Proxy(Session& session, std::string mail);

    // Connects, says who the client is (XFORWARD), and sends MAIL. The reply is what the next command of the client gets.
    async::Task<Refusal> open();
    async::Task<Refusal> recipient(std::string command);
    async::Task<Refusal> data();
    // Content without dots, CRLF ended.
    async::Task<Refusal> add(std::string_view content);
    // The final reply, whatever it is.
    async::Task<smtp::Reply> end();

private:
    async::Task<Refusal> connect();
    async::Task<Refusal> introduce();
    async::Task<smtp::Reply> ask(std::string command);
    async::Task<smtp::Reply> read_reply();
    async::Task<Refusal> insist(std::string command, char wanted);
    async::Task<> send(std::string bytes);
    async::Task<> put_aside();
    async::Task<Refusal> replay();
    void note(const net::Gone& trouble);
    std::vector<std::string> xforward_commands() const;

    Session& session_;
    const std::string& name_;           // smtpd_proxy_filter
    const async::Limit limit_;
    const bool collects_;               // speed_adjust
    std::vector<std::string> commands_; // MAIL, and with speed_adjust RCPT
    net::Stream stream_;
    smtp::Capabilities can_;
    smtp::DotStuffer stuffer_;
    std::string stuffed_;
    bool broken_ = false;               // the connection is good for nothing
    spool::NewFile collected_;          // never committed: it goes when we do
    uint64_t written_ = 0;
};

} // namespace smtpd
