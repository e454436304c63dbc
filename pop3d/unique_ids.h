// unique_ids: what UIDL says: the id another server gave, the X-UIDL field, or pop3_uidl_format.
#pragma once

#include "percent_format.h"

#include "store/store.h"

#include <cstdint>
#include <string>
#include <vector>

namespace pop3d {

PercentFormat unique_id_format(std::string_view text);      // throws BadFormat

struct UniqueIds {
    PercentFormat format;
    bool reuse_xuidl = false;
    // In the order of the UIDs. Each is one that RFC 1939 allows.
    std::vector<std::string> read(store::Mailbox& inbox, const std::vector<uint32_t>& uids) const;

private:
    std::string read_one(store::Mailbox& inbox, uint32_t uid) const;
};

} // namespace pop3d
