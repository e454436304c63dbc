#include "problem.h"

#include "base/text.h"

#include <fmt/format.h>

namespace smtp_client {
namespace {

constexpr size_t longest_text = 2000;

} // namespace

Problem said_no(const smtp::Reply& reply, std::string text)
{
    text = base::printable(text, longest_text);
    if (!reply.transient() && !reply.permanent()) return deferred("4.5.0", std::move(text));
    std::string dsn = reply.enhanced.empty() ? reply.status() : smtp::fit_enhanced(reply.enhanced, reply.code);
    return Problem(reply.permanent() ? spool::Outcome::bounced : spool::Outcome::deferred, std::move(dsn),
                   std::move(text));
}

Problem refused(const std::string& host, const smtp::Reply& reply, std::string_view in_reply_to)
{
    return said_no(reply, fmt::format("host {} said: {} (in reply to {})", host, reply.line(), in_reply_to));
}

Problem refused_to_talk(const std::string& host, const smtp::Reply& reply)
{
    return said_no(reply, fmt::format("host {} refused to talk to me: {}", host, reply.line()));
}

Problem softened(Problem problem)
{
    problem.status = spool::Outcome::deferred;
    if (!problem.dsn.empty()) problem.dsn[0] = '4';
    return problem;
}

} // namespace smtp_client
