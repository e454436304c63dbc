#include "store/maildir_store.h"

namespace store {

std::unique_ptr<Store> open_store(const Location& location, LockPolicy)
{
    return std::make_unique<MaildirStore>(location);
}

} // namespace store
