// cmd_etrn: ETRN, RFC 1985: a host that was away asks for the mail that waits for it.
#include "commands.h"
#include "restrictions/stages.h"

#include "base/log.h"
#include "ipc/channel.h"
#include "mail/address.h"

namespace smtpd {
namespace {

constexpr async::Limit patience{10000};

// As "postqueue -s": the queue manager tries at once what is deferred for that site. False when it cannot be asked.
async::Task<bool> flush_site(const std::string& queue, const std::string& site)
{
    try {
        ipc::Channel channel = ipc::connect_to(queue + "/private/qmgr");
        spool::Command command;
        command.words = {"flush-site", site};
        channel.post(std::move(command));
        while (true) {
            bool in_time = co_await async::wait(channel.readable(), patience);
            if (!in_time) co_return true;       // a long queue: it is still at it
            auto packet = co_await channel.receive();
            if (!packet) co_return false;
            auto answer = ipc::unpack<spool::Answer>(*packet);
            if (answer.end) co_return !answer.failed;
        }
    } catch (const base::SystemError& failure) {
        base::log::warning("{}", failure.what());
    } catch (const ipc::Closed& failure) {
        base::log::warning("{}", failure.what());
    } catch (const ipc::Malformed& failure) {
        base::log::warning("{}", failure.what());
    }
    co_return false;
}

} // namespace

async::Task<smtp::Reply> cmd_etrn(Session& s, const smtp::Command& command)
{
    if (s.client.helo.empty() && s.config.smtpd_helo_required) co_return smtp::Reply{503, "", "Error: send HELO/EHLO first"};
    std::string site = command.arguments;
    if (site.empty() || site.find(' ') != std::string::npos) co_return smtp::Reply{500, "", "Syntax: ETRN domain"};
    // RFC 1985 5.3: "@" asks for the domain and all below it, "#" for a named queue.
    if (site[0] == '@' || site[0] == '#') site.erase(0, 1);
    if (!mail::valid_domain(site) && !mail::valid_address_literal(site)) co_return smtp::Reply{501, "", "Error: invalid parameter syntax"};
    if (s.service.letterbox) co_return smtp::Reply{458, "", "Unable to queue messages"};
    auto refusal = co_await restrictions::check_etrn(s, site);
    if (refusal) co_return *refusal;
    if (!s.service.flushable_domains.matches(site)) {
        base::log::warning("reject: ETRN {}... from {}", site, s.client.text());
        co_return smtp::Reply{459, "", "<" + site + ">: service unavailable"};
    }
    bool begun = co_await flush_site(s.config.queue_directory, site);
    if (!begun) {
        base::log::warning("unable to talk to the queue manager");
        co_return smtp::Reply{458, "", "Unable to queue messages"};
    }
    co_return smtp::Reply{250, "", "Queuing started"};
}

} // namespace smtpd
