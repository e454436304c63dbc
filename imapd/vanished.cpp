#include "vanished.h"

#include <algorithm>

namespace imapd {

std::vector<Interval> vanished_of(const std::vector<Interval>& wanted, const std::vector<uint32_t>& known,
                                  const std::optional<std::vector<uint32_t>>& expunged)
{
    std::vector<Interval> gone;
    auto add = [&](uint32_t first, uint32_t last) {
        if (!gone.empty() && gone.back().last + 1 == first)
            gone.back().last = last;
        else
            gone.push_back({first, last});
    };
    if (expunged) {
        for (uint32_t uid : *expunged)
            if (contains(wanted, uid) && !std::binary_search(known.begin(), known.end(), uid)) add(uid, uid);
        return gone;
    }
    for (Interval part : wanted) {
        uint64_t next = part.first;
        auto uid = std::lower_bound(known.begin(), known.end(), part.first);
        for (; uid != known.end() && *uid <= part.last; ++uid) {
            if (*uid > next) add(static_cast<uint32_t>(next), *uid - 1);
            next = uint64_t{*uid} + 1;
        }
        if (next <= part.last) add(static_cast<uint32_t>(next), part.last);
    }
    return gone;
}

void say_vanished(Session& session, uint64_t since, const SequenceSet& uids)
{
    store::Mailbox& box = *session.mail.box;
    uint32_t last = box.uid_next() - 1;
    if (last == 0) return;
    std::vector<Interval> wanted = uids.resolved(last);
    if (uids.saved)
        for (uint32_t uid : session.selected->saved) wanted.push_back({uid, uid});
    // No UID that was not given yet has vanished.
    std::erase_if(wanted, [&](Interval part) { return part.first > last || part.last == 0; });
    for (Interval& part : wanted) part = {std::max(part.first, 1u), std::min(part.last, last)};
    auto gone = vanished_of(wanted, session.selected->uids, box.history().expunged_since(since));
    if (!gone.empty()) session.client.say("* VANISHED (EARLIER) " + write_set(gone));
}

} // namespace imapd
