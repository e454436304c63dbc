// search_run: looking through the selected mailbox, a slice of time at a time on another thread, so that it can be given up.
#pragma once

#include "headline.h"
#include "search.h"
#include "session.h"

namespace imapd {

struct Found {
    std::vector<uint32_t> uids; // ascending
    uint64_t modseq = 0;        // the highest of them, when the search was for MODSEQ
};

// Says "* OK [INPROGRESS …]" now and then (RFC 9585).
async::Task<Found> run_search(Session& session, SearchKey key);

// The header fields that sorting or threading needs, of those messages that are still there.
async::Task<std::vector<Headline>> read_headlines(Session& session, std::vector<uint32_t> uids, HeadlineParts parts);

// All of a command's search key. Nothing: the character set is not known, and the command fails with bad_charset().
std::optional<SearchKey> read_search_key(Session& session, Arguments& arguments, CharsetPlace charset);
Tagged bad_charset();

} // namespace imapd
