#include "store/maildir_store.h"
#include "store/mbox_store.h"

namespace store {

std::unique_ptr<Store> open_store(const Location& location, LockPolicy locks)
{
    if (location.format == Format::mbox) return std::make_unique<MboxStore>(location, std::move(locks));
    return std::make_unique<MaildirStore>(location);
}

} // namespace store
