#include "shelf.h"

#include <algorithm>

namespace imapd {

namespace {

constexpr size_t worth_keeping = 200;   // messages: fewer are looked at faster than they are remembered

} // namespace

void Shelf::put(std::string place, std::unique_ptr<store::Mailbox> box)
{
    if (box->messages().size() < worth_keeping) return;
    take(place);
    boxes_.push_back({std::move(place), std::move(box), base::steady_now()});
    shrink();
}

std::unique_ptr<store::Mailbox> Shelf::take(const std::string& place)
{
    shrink();
    auto found = std::find_if(boxes_.begin(), boxes_.end(), [&](const Kept& kept) { return kept.place == place; });
    if (found == boxes_.end()) return nullptr;
    auto box = std::move(found->box);
    boxes_.erase(found);
    return box;
}

void Shelf::shrink()
{
    base::Steady oldest = base::steady_now() - kept_for;
    size_t messages = 0;
    for (const Kept& kept : boxes_) messages += kept.box->messages().size();
    while (!boxes_.empty() && (boxes_.front().since < oldest || boxes_.size() > most_boxes || messages > most_messages)) {
        messages -= boxes_.front().box->messages().size();
        boxes_.pop_front();
    }
}

Shelf& shelf()
{
    static Shelf kept;
    return kept;
}

} // namespace imapd
