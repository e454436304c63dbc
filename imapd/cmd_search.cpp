// SEARCH, RFC 3501 6.4.4, and UID SEARCH, 6.4.8; ESEARCH, RFC 4731; SEARCHRES, RFC 5182; PARTIAL, RFC 9394.
#include "cmd.h"

#include "search_return.h"
#include "search_run.h"

#include <fmt/format.h>

namespace imapd {

namespace {

async::Task<> say_found(Session& session, const std::vector<uint32_t>& numbers, uint64_t modseq)
{
    session.client.write("* SEARCH");
    for (uint32_t number : numbers) {
        session.client.write(fmt::format(" {}", number));
        co_await session.client.flush_if_full();
    }
    if (modseq > 0) session.client.write(fmt::format(" (MODSEQ {})", modseq));
    session.client.say("");
}

async::Task<Tagged> search(Session& session, Arguments& arguments, bool by_uid)
{
    SearchReturn wanted = parse_search_return(arguments);
    // RFC 5182 2.1: what was saved before is lost also when this fails.
    if (wanted.save) wanted.extended = true;
    auto key = read_search_key(session, arguments, CharsetPlace::optional);
    if (wanted.save) session.selected->saved.clear();
    if (!key) co_return bad_charset();
    Found found = co_await run_search(session, std::move(*key));
    std::vector<uint32_t> numbers = found.uids;
    if (!by_uid)
        for (uint32_t& number : numbers) number = *session.selected->number_of(number);
    if (session.enabled.rev2 && !wanted.extended) wanted.extended = wanted.all = true;
    if (!wanted.extended)
        co_await say_found(session, numbers, found.modseq);
    else if (wanted.tells_something()) {
        SearchAnswer answer{session.tag, by_uid, std::nullopt};
        if (found.modseq > 0) answer.modseq = found.modseq;
        session.client.say("* ESEARCH " + esearch_text(answer, wanted, numbers));
    }
    if (wanted.save) session.selected->saved = to_be_saved(wanted, std::move(found.uids));
    co_return ok("SEARCH completed");
}

} // namespace

async::Task<Tagged> cmd_search(Session& session, Arguments& arguments) { return search(session, arguments, false); }
async::Task<Tagged> cmd_uid_search(Session& session, Arguments& arguments) { return search(session, arguments, true); }

} // namespace imapd
