#include "news.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace imapd {

namespace {

constexpr struct {
    store::Flags bit;
    std::string_view name;
} system_flags[] = {{store::flag::answered, "\\Answered"}, {store::flag::flagged, "\\Flagged"},
                    {store::flag::deleted, "\\Deleted"},   {store::flag::seen, "\\Seen"},
                    {store::flag::draft, "\\Draft"},       {store::flag::recent, "\\Recent"}};

void add_word(std::string& list, std::string_view word)
{
    if (!list.empty()) list += ' ';
    list += word;
}

// The view follows the mailbox: numbers of what went (largest first), and whether something came.
struct Difference {
    std::vector<size_t> gone;
    std::vector<uint32_t> gone_uids;
    bool came = false;
};

Difference compare(Selected& view, const std::vector<store::Message>& messages, bool forget_gone)
{
    Difference difference;
    std::vector<uint32_t> kept;
    uint32_t last_known = view.uids.empty() ? 0 : view.uids.back();
    size_t next = 0;
    for (size_t i = 0; i < view.uids.size(); ++i) {
        while (next < messages.size() && messages[next].uid < view.uids[i]) ++next;
        bool there = next < messages.size() && messages[next].uid == view.uids[i];
        if (there) continue;
        difference.gone.push_back(i);
        difference.gone_uids.push_back(view.uids[i]);
    }
    if (forget_gone && !difference.gone.empty()) {
        size_t to = difference.gone.front();
        for (size_t from = to, g = 0; from < view.uids.size(); ++from) {
            if (g < difference.gone.size() && difference.gone[g] == from)
                ++g;
            else
                view.uids[to++] = view.uids[from];
        }
        view.uids.resize(to);
    }
    auto first_new = std::upper_bound(messages.begin(), messages.end(), last_known,
                                      [](uint32_t uid, const store::Message& message) { return uid < message.uid; });
    for (auto message = first_new; message != messages.end(); ++message) view.uids.push_back(message->uid);
    difference.came = first_new != messages.end();
    std::reverse(difference.gone.begin(), difference.gone.end());
    return difference;
}

void tell_counts(Session& session, bool came)
{
    Selected& view = *session.selected;
    const auto& messages = session.mail.box->messages();
    size_t recent = std::count_if(messages.begin(), messages.end(),
                                  [](const store::Message& message) { return message.flags & store::flag::recent; });
    if (came) session.client.say(fmt::format("* {} EXISTS", view.uids.size()));
    // RFC 9051 E: there is no RECENT.
    if (!session.enabled.rev2 && (came || recent != view.told_recent)) session.client.say(fmt::format("* {} RECENT", recent));
    view.told_recent = recent;
}

async::Task<> tell_flags(Session& session)
{
    Selected& view = *session.selected;
    if (std::exchange(view.keywords_changed, false)) say_flags(session);
    auto changed = std::exchange(view.changed, {});
    std::sort(changed.begin(), changed.end());
    changed.erase(std::unique(changed.begin(), changed.end()), changed.end());
    store::Mailbox& box = *session.mail.box;
    for (uint32_t uid : changed) {
        auto number = view.number_of(uid);
        auto index = box.index_of(uid);
        if (!number || !index) continue;
        session.client.say(fmt::format("* {} FETCH (UID {} {}{})", *number, uid, modseq_text(session, uid),
                                       flags_text(session, box.messages()[*index].flags)));
        co_await session.client.flush_if_full();
    }
}

} // namespace

std::string modseq_text(Session& session, uint32_t uid)
{
    if (!session.enabled.condstore) return {};
    return fmt::format("MODSEQ ({}) ", session.mail.box->history().modseq(uid));
}

std::string flags_text(const Session& session, store::Flags flags)
{
    const store::Mailbox& box = *session.mail.box;
    if (session.enabled.rev2) flags &= ~store::flag::recent;
    std::string list;
    for (const auto& known : system_flags)
        if (flags & known.bit) add_word(list, known.name);
    for (store::Flags left = flags & store::flag::keywords; left; left &= left - 1) {
        size_t index = static_cast<size_t>(std::countr_zero(left)) - store::flag::first_keyword_bit;
        if (index < box.keywords().size() && !box.keywords()[index].empty()) add_word(list, box.keywords()[index]);
    }
    return "FLAGS (" + list + ")";
}

void say_flags(Session& session)
{
    const store::Mailbox& box = *session.mail.box;
    store::Flags all = store::flag::system;
    size_t used = 0;
    for (size_t i = 0; i < box.keywords().size() && i < store::flag::keyword_limit; ++i) {
        if (box.keywords()[i].empty()) continue;
        all |= store::flag::keyword(i);
        ++used;
    }
    std::string flags = flags_text(session, all);
    session.client.say("* " + flags);
    std::string permanent = flags.substr(6);
    if (used < store::flag::keyword_limit) permanent.insert(permanent.size() - 1, " \\*");
    if (session.selected->read_only) permanent = "()";
    session.client.say(fmt::format("* OK [PERMANENTFLAGS {}] Flags permitted", permanent));
}

async::Task<> tell_news(Session& session, News which)
{
    if (!session.selected || which == News::none) co_return;
    Selected& view = *session.selected;
    store::Changes changes = session.mail.box->refresh();
    if (changes.reset) {
        session.client.say("* BYE [UNAVAILABLE] The mailbox was replaced, please select it again");
        session.over = true;
        session.why_over = "mailbox replaced";
        co_return;
    }
    view.changed.insert(view.changed.end(), changes.flags.begin(), changes.flags.end());
    view.keywords_changed |= changes.keywords;
    if (changes.any()) session.note_changes();
    if (changes.any() || view.stale) {
        bool may_expunge = which == News::all;
        Difference difference = compare(view, session.mail.box->messages(), may_expunge);
        view.stale = !may_expunge && !difference.gone.empty();
        if (may_expunge && session.enabled.qresync) {
            // RFC 7162 3.2.10: VANISHED takes the place of EXPUNGE.
            if (!difference.gone_uids.empty())
                session.client.say("* VANISHED " + write_set(difference.gone_uids));
        } else if (may_expunge) {
            for (size_t index : difference.gone) {
                session.client.say(fmt::format("* {} EXPUNGE", index + 1));
                co_await session.client.flush_if_full();
            }
        }
        tell_counts(session, difference.came);
    }
    co_await tell_flags(session);
}

} // namespace imapd
