// listing: which folders LIST and LSUB show, and how (RFC 3501 6.3.8, RFC 5258, RFC 6154), as values without I/O.
#pragma once

#include "status.h"
#include "store/store.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace imapd {

struct ListRequest {
    std::string reference;
    std::vector<std::string> patterns;
    bool only_subscribed = false, recursive = false, only_special = false; // selection
    bool tell_subscribed = false;                                          // RETURN (SUBSCRIBED)
    std::vector<StatusItem> status;                                        // RETURN (STATUS (…))
    bool extended = false;
};
ListRequest parse_list(Arguments& arguments);

struct Listed {
    std::string name;
    std::vector<std::string_view> attributes;
    bool has_subscribed_child = false; // RECURSIVEMATCH: ("CHILDINFO" ("SUBSCRIBED"))
    bool selectable = true;
    bool operator==(const Listed&) const = default;
};
// uses: what folders were made for, where their name does not say it; it must outlive the answer.
using SpecialUses = std::map<std::string, std::string>;
const SpecialUses& no_special_uses();
std::vector<Listed> choose_folders(const ListRequest& request, const std::vector<store::Folder>& folders,
                                   const std::vector<std::string>& subscriptions, char separator,
                                   const SpecialUses& uses = no_special_uses());
std::vector<Listed> choose_subscribed(const ListRequest& request, const std::vector<std::string>& subscriptions,
                                      char separator);

// The use as RFC 6154 2 writes it; empty for none of those that a mailbox can be made for: \All and \Flagged are for mailboxes that
// show what lies in others.
std::string_view known_use(std::string_view use);
// "\Sent" for a folder that people commonly use so; empty for others.
std::string_view special_use(std::string_view name);

} // namespace imapd
