// SORT and UID SORT, RFC 5256; with RETURN, RFC 5267.
#include "cmd.h"

#include "search_return.h"
#include "search_run.h"
#include "sort.h"

#include <fmt/format.h>

namespace imapd {

namespace {

async::Task<Tagged> sort(Session& session, Arguments& arguments, bool by_uid)
{
    SearchReturn wanted = parse_search_return(arguments);
    arguments.space();
    auto program = parse_sort_program(arguments);
    auto key = read_search_key(session, arguments, CharsetPlace::first);
    if (wanted.save) session.selected->saved.clear();
    if (!key) co_return bad_charset();
    Found found = co_await run_search(session, std::move(*key));
    auto lines = co_await read_headlines(session, found.uids, parts_of(program));
    sort_headlines(lines, program);
    std::vector<uint32_t> numbers;
    for (const auto& line : lines) numbers.push_back(by_uid ? line.uid : *session.selected->number_of(line.uid));
    if (wanted.extended) {
        SearchAnswer answer{session.tag, by_uid, std::nullopt};
        if (found.modseq > 0) answer.modseq = found.modseq;
        if (wanted.tells_something()) session.client.say("* ESEARCH " + esearch_text(answer, wanted, numbers));
    } else {
        session.client.write("* SORT");
        for (uint32_t number : numbers) {
            session.client.write(fmt::format(" {}", number));
            co_await session.client.flush_if_full();
        }
        if (found.modseq > 0) session.client.write(fmt::format(" (MODSEQ {})", found.modseq));
        session.client.say("");
    }
    if (wanted.save) session.selected->saved = to_be_saved(wanted, std::move(found.uids));
    co_return ok("SORT completed");
}

} // namespace

async::Task<Tagged> cmd_sort(Session& session, Arguments& arguments) { return sort(session, arguments, false); }
async::Task<Tagged> cmd_uid_sort(Session& session, Arguments& arguments) { return sort(session, arguments, true); }

} // namespace imapd
