// SEARCH, RFC 3501 6.4.4, and UID SEARCH, 6.4.8. Long searches run on another thread, a slice at a time, and can be
// given up.
#include "cmd.h"

#include "search.h"

#include "async/lend.h"
#include "base/clock.h"
#include "base/text.h"

#include <fmt/format.h>

namespace imapd {

namespace {

constexpr base::Duration slice{100};
constexpr base::Duration still_searching{15'000};

struct Hunt {
    SearchKey key;
    std::vector<store::Message> messages;
    size_t next = 0;
    std::vector<uint32_t> found;

    bool done() const { return next == messages.size(); }
    void go_on(store::Mailbox& box, base::Steady until)
    {
        while (!done() && base::steady_now() < until) {
            Candidate candidate(box, messages[next]);
            if (candidate.meets(key)) found.push_back(messages[next].uid);
            ++next;
        }
    }
};

struct Slice {
    Hunt hunt;
    Hunt operator()(Mail& mail)
    {
        hunt.go_on(*mail.box, base::steady_now() + slice);
        return std::move(hunt);
    }
};

async::Task<std::vector<uint32_t>> run(Session& session, SearchKey key)
{
    Hunt hunt;
    int cost = key.cost();
    hunt.key = std::move(key);
    for (const auto& message : session.mail.box->messages())
        if (session.selected->number_of(message.uid)) hunt.messages.push_back(message);
    if (cost == 0) hunt.go_on(*session.mail.box, base::Steady::max());
    base::Steady word = base::steady_now() + still_searching;
    while (!hunt.done()) {
        Slice work{std::move(hunt)};
        hunt = co_await async::lend(session.mail, std::move(work));
        if (base::steady_now() < word) continue;
        // The client must not think we died; and if it did, this ends the search.
        session.client.say("* OK Still searching");
        co_await session.client.flush();
        word = base::steady_now() + still_searching;
    }
    co_return std::move(hunt.found);
}

async::Task<> say_found(Session& session, std::vector<uint32_t> uids, bool by_uid)
{
    session.client.write("* SEARCH");
    for (uint32_t uid : uids) {
        session.client.write(fmt::format(" {}", by_uid ? uid : *session.selected->number_of(uid)));
        co_await session.client.flush_if_full();
    }
    session.client.say("");
}

async::Task<Tagged> search(Session& session, Arguments& arguments, bool by_uid)
{
    SearchKey key;
    try {
        key = parse_search(arguments, std::time(nullptr));
    } catch (const UnknownCharset&) {
        co_return no("[BADCHARSET (US-ASCII UTF-8)] Unknown character set");
    }
    store::Mailbox& box = *session.mail.box;
    auto keyword = [&](const std::string& name) { return box.keyword(name, false); };
    resolve(key, session.selected->uids, keyword);
    std::vector<uint32_t> found = co_await run(session, std::move(key));
    co_await say_found(session, std::move(found), by_uid);
    co_return ok("SEARCH completed");
}

} // namespace

async::Task<Tagged> cmd_search(Session& session, Arguments& arguments) { return search(session, arguments, false); }
async::Task<Tagged> cmd_uid_search(Session& session, Arguments& arguments) { return search(session, arguments, true); }

} // namespace imapd
