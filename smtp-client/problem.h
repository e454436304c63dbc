// problem: why a recipient did not get the message, as it stands in the log, in the queue file and in a bounce.
#pragma once

#include "smtp/reply.h"
#include "spool/messages.h"

#include <string>
#include <string_view>

namespace smtp_client {

struct Problem {
    Problem() = default;
    Problem(spool::Outcome::Status status, std::string dsn, std::string text)
        : status(status), dsn(std::move(dsn)), text(std::move(text))
    {
    }

    spool::Outcome::Status status = spool::Outcome::deferred;
    std::string dsn, text;
    bool permanent() const { return status == spool::Outcome::bounced; }
};

inline Problem deferred(std::string dsn, std::string text)
{
    return Problem(spool::Outcome::deferred, std::move(dsn), std::move(text));
}
inline Problem bounced(std::string dsn, std::string text)
{
    return Problem(spool::Outcome::bounced, std::move(dsn), std::move(text));
}

// "host mx.example[192.0.2.1] said: 550 5.1.1 … (in reply to RCPT TO command)". A reply that is neither 4xx nor 5xx
// makes no sense there and is taken for a passing trouble.
Problem refused(const std::string& host, const smtp::Reply& reply, std::string_view in_reply_to);
// "host … refused to talk to me: …"
Problem refused_to_talk(const std::string& host, const smtp::Reply& reply);
// What a reply of 4xx or 5xx means, with a text of ours.
Problem said_no(const smtp::Reply& reply, std::string text);
// The same trouble as a passing one: what is permanent for one host may not be for the next.
Problem softened(Problem problem);

} // namespace smtp_client
