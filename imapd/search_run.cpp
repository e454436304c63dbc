#include "search_run.h"

#include "async/lend.h"
#include "base/clock.h"
#include "base/text.h"

#include <fmt/format.h>

namespace imapd {

namespace {

constexpr base::Duration slice{100};
constexpr base::Duration still_busy{15'000};

struct Hunt {
    SearchKey key;
    std::vector<store::Message> messages;
    size_t next = 0;
    Found found;

    size_t size() const { return messages.size(); }
    void go_on(store::Mailbox& box, base::Steady until)
    {
        while (next < size() && base::steady_now() < until) {
            const store::Message& message = messages[next++];
            Candidate candidate(box, message);
            if (candidate.meets(key)) found.uids.push_back(message.uid);
        }
    }
};

struct Reading {
    std::vector<uint32_t> uids;
    HeadlineParts parts;
    size_t next = 0;
    std::vector<Headline> found;

    size_t size() const { return uids.size(); }
    void go_on(store::Mailbox& box, base::Steady until)
    {
        while (next < size() && base::steady_now() < until) {
            auto headline = read_headline(box, uids[next++], parts);
            if (headline) found.push_back(std::move(*headline));
        }
    }
};

template <class Work> struct Slice {
    Work work;
    Work operator()(Mail& mail)
    {
        work.go_on(*mail.box, base::steady_now() + slice);
        return std::move(work);
    }
};

template <class Work> async::Task<Work> run_slices(Session& session, Work work)
{
    base::Steady word = base::steady_now() + still_busy;
    while (work.next < work.size()) {
        Slice<Work> part{std::move(work)};
        work = co_await async::lend(session.mail, std::move(part));
        if (base::steady_now() < word) continue;
        // The client must not think we died; and if it did, this ends the search.
        session.client.say(
            fmt::format("* OK [INPROGRESS (\"{}\" {} {})] Still searching", session.tag, work.next, work.size()));
        co_await session.client.flush();
        word = base::steady_now() + still_busy;
    }
    co_return std::move(work);
}

bool asks_modseq(const SearchKey& key)
{
    if (key.kind == SearchKey::Kind::modseq) return true;
    return std::any_of(key.keys.begin(), key.keys.end(), asks_modseq);
}

bool asks_history(const SearchKey& key)
{
    using Kind = SearchKey::Kind;
    if (key.kind == Kind::saved_before || key.kind == Kind::saved_on || key.kind == Kind::saved_since) return true;
    return std::any_of(key.keys.begin(), key.keys.end(), asks_history);
}

} // namespace

async::Task<Found> run_search(Session& session, SearchKey key)
{
    Hunt hunt;
    int cost = key.cost();
    bool by_modseq = asks_modseq(key);
    // RFC 7162 3.1: a search for MODSEQ enables CONDSTORE.
    if (by_modseq) session.enable_condstore();
    if (asks_history(key)) session.mail.box->history().follow(*session.mail.box);
    hunt.key = std::move(key);
    for (const auto& message : session.mail.box->messages())
        if (session.selected->number_of(message.uid)) hunt.messages.push_back(message);
    if (cost == 0)
        hunt.go_on(*session.mail.box, base::Steady::max());
    else
        hunt = co_await run_slices(session, std::move(hunt));
    Found found = std::move(hunt.found);
    if (!by_modseq) co_return found;
    for (uint32_t uid : found.uids) found.modseq = std::max(found.modseq, session.mail.box->history().modseq(uid));
    co_return found;
}

async::Task<std::vector<Headline>> read_headlines(Session& session, std::vector<uint32_t> uids, HeadlineParts parts)
{
    Reading reading{std::move(uids), parts, 0, {}};
    reading = co_await run_slices(session, std::move(reading));
    co_return std::move(reading.found);
}

std::optional<SearchKey> read_search_key(Session& session, Arguments& arguments, CharsetPlace charset)
{
    SearchKey key;
    try {
        // RFC 6855 3: all text is UTF-8 then, and a SEARCH that names a character set is refused.
        if (session.enabled.utf8 && charset == CharsetPlace::optional && base::starts_with_word(arguments.rest(), " CHARSET "))
            throw Bad("CHARSET is not for UTF8=ACCEPT");
        key = parse_search(arguments, std::time(nullptr), charset);
    } catch (const UnknownCharset&) {
        return std::nullopt;
    }
    store::Mailbox& box = *session.mail.box;
    auto keyword = [&](const std::string& name) { return box.keyword(name, false); };
    resolve(key, session.selected->uids, keyword, session.selected->saved);
    return key;
}

Tagged bad_charset() { return no("[BADCHARSET (US-ASCII UTF-8)] Unknown character set"); }

} // namespace imapd
