// stages: which restriction lists are asked at which point of the dialogue (SMTPD_ACCESS_README of Postfix). Each returns the refusal, if
// there is one; it is in the log by then. With smtpd_delay_reject those of client, HELO and MAIL are asked when a recipient is named.
// Local users (the letterbox) are asked nothing. Addresses are as the client gave them, in internal form.
#pragma once

#include "async/task.h"
#include "smtp/reply.h"

#include <optional>
#include <string>

namespace smtpd {
struct Session;
}

namespace smtpd::restrictions {

using Refusal = std::optional<smtp::Reply>;

async::Task<Refusal> check_client(Session& session);
async::Task<Refusal> check_helo(Session& session);
async::Task<Refusal> check_sender(Session& session, std::string sender);
// where: "RCPT", or "VRFY", which has no sender.
async::Task<Refusal> check_recipient(Session& session, std::string where, std::optional<std::string> sender, std::string recipient);
async::Task<Refusal> check_data(Session& session);
async::Task<Refusal> check_end_of_data(Session& session);
async::Task<Refusal> check_etrn(Session& session, std::string domain);

} // namespace smtpd::restrictions
