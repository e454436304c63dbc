// shelf: mailboxes that sessions of this process closed a moment ago, for the next SELECT of the same: mail programs go from folder to
// folder and back, in several sessions at once, and to open a large folder costs a look at every file name. For the loop's thread.
#pragma once

#include "base/clock.h"
#include "store/store.h"

#include <cstddef>
#include <deque>
#include <memory>
#include <string>

namespace imapd {

class Shelf {
public:
    // place says whose mailbox it is, which, and how it was opened.
    void put(std::string place, std::unique_ptr<store::Mailbox> box);
    // Null: there is none. To be used only when its reopen() says so.
    std::unique_ptr<store::Mailbox> take(const std::string& place);
    size_t size() const { return boxes_.size(); }

    static constexpr size_t most_boxes = 8, most_messages = 200'000;    // of all boxes together
    static constexpr base::Duration kept_for{60'000};

private:
    struct Kept {
        std::string place;
        std::unique_ptr<store::Mailbox> box;
        base::Steady since;
    };
    void shrink();
    std::deque<Kept> boxes_;            // oldest first
};

Shelf& shelf();

} // namespace imapd
