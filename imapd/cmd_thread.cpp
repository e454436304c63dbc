// THREAD and UID THREAD, RFC 5256.
#include "cmd.h"

#include "search_run.h"
#include "thread.h"

namespace imapd {

namespace {

ThreadAlgorithm read_algorithm(Arguments& arguments)
{
    if (arguments.skip_keyword("REFERENCES")) return ThreadAlgorithm::references;
    if (arguments.skip_keyword("ORDEREDSUBJECT")) return ThreadAlgorithm::ordered_subject;
    if (arguments.skip_keyword("REFS")) return ThreadAlgorithm::refs;
    throw Bad("Unknown thread algorithm");
}

async::Task<Tagged> thread(Session& session, Arguments& arguments, bool by_uid)
{
    arguments.space();
    ThreadAlgorithm algorithm = read_algorithm(arguments);
    auto key = read_search_key(session, arguments, CharsetPlace::first);
    if (!key) co_return bad_charset();
    Found found = co_await run_search(session, std::move(*key));
    HeadlineParts parts;
    parts.header = true;
    auto lines = co_await read_headlines(session, std::move(found.uids), parts);
    Threads threads = make_threads(lines, algorithm);
    auto number = [&](size_t index) { return by_uid ? lines[index].uid : *session.selected->number_of(lines[index].uid); };
    std::string text = threads_text(threads, number);
    session.client.say(text.empty() ? "* THREAD" : "* THREAD " + text);
    co_return ok("THREAD completed");
}

} // namespace

async::Task<Tagged> cmd_thread(Session& session, Arguments& arguments) { return thread(session, arguments, false); }
async::Task<Tagged> cmd_uid_thread(Session& session, Arguments& arguments) { return thread(session, arguments, true); }

} // namespace imapd
