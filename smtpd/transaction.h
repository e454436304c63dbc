// transaction: one message on its way in, from MAIL to the 250 after its end.
#pragma once

#include "filters/proxy.h"
#include "service.h"

#include "cleanup/intake.h"
#include "smtp/command.h"
#include "smtp/data.h"
#include "spool/maker.h"
#include "spool/treatment.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace smtpd {

struct Session;

struct Transaction {
    smtp::MailCommand mail;
    std::string command;                         // MAIL as it was given
    std::string sender;                          // rewritten, internal form
    std::vector<spool::Recipient> recipients;
    int64_t named = 0;                           // RCPT commands, before aliases
    int64_t taken = 0;                           // of them accepted: so many replies does LMTP give at the end
    spool::NewFile file;                         // asked for with the first recipient, or at once (smtpd_delay_open_until_valid_rcpt)
    std::unique_ptr<Proxy> proxy;                // smtpd_proxy_filter: what the message goes to instead, from the same moment
    int64_t arrival = 0;                         // microseconds since 1970
    spool::Treatment treatment;                  // what tables want done with it; intake's, once there is content

    // While content comes in.
    std::unique_ptr<cleanup::Intake> intake;
    std::string decoded;                         // content, canonical, not yet handed to intake
    uint64_t received = 0;                       // bytes of content so far
    std::optional<smtp::Reply> failure;          // what will be said at its end
    std::optional<smtp::Canonicalizer> chunks;   // BDAT
    bool in_content = false;
};

// Gets the queue file, or reaches the filter, once, and logs "QID: client=…". A reply when there is none to be had; the log of it names recipient.
async::Task<std::optional<smtp::Reply>> open_destination(Session& session, std::string recipient = {});
// Before the first byte of content.
void begin_content(Session& session);
// Hands over what was decoded so far; writes blocks when enough has gathered. Sets failure when the message cannot be kept.
async::Task<> take_content(Session& session);
// All content is there: makes it durable, commits it, and returns the final reply. The transaction is over.
async::Task<smtp::Reply> end_content(Session& session, smtp::ContentFacts facts);

} // namespace smtpd
