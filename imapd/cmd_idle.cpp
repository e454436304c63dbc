// IDLE, RFC 2177: all news of the mailbox, until the client says DONE.
#include "cmd.h"

#include "news.h"
#include "notices.h"

#include "base/clock.h"
#include "base/text.h"

#include <algorithm>

namespace imapd {

namespace {

bool has_spoken(net::Stream& stream)
{
    return !stream.buffered().empty() || (stream.readable().ready() && stream.try_fill());
}

// Until the client says something.
async::Task<> tell_until_spoken(Session& session, Notice& notice)
{
    base::Steady end = base::steady_now() + session.settings.idle_limit;
    base::Steady still_here = base::steady_now() + session.settings.still_here;
    while (!session.over && !has_spoken(session.client.stream())) {
        async::Limit limit = std::min(session.settings.still_here, session.settings.idle_limit);
        if (!notice.sees_all()) limit = std::min(limit, session.settings.poll);
        co_await async::wait_either(session.client.stream().readable(), notice.news(), limit);
        notice.news().clear();
        if (base::steady_now() >= end) throw net::Gone(net::Gone::timed_out, "timed out");
        co_await tell_news(session, News::all);
        if (base::steady_now() >= still_here) {
            session.client.say("* OK Still here");
            still_here = base::steady_now() + session.settings.still_here;
        }
        co_await session.client.flush();
    }
}

} // namespace

async::Task<Tagged> cmd_idle(Session& session, Arguments& arguments)
{
    arguments.end();
    // Watched first: what happens before we look is told by either.
    Notice notice(session.selected ? session.mail.box->watch_paths() : std::vector<std::string>());
    session.client.say("+ idling");
    co_await tell_news(session, News::all);
    co_await session.client.flush();
    co_await tell_until_spoken(session, notice);
    if (session.over) co_return no("IDLE ended");
    std::string line = co_await session.client.line(session.settings.timeout);
    if (!base::same_word(base::trim(line), "DONE")) co_return bad("Expected DONE");
    co_return ok("IDLE completed");
}

} // namespace imapd
