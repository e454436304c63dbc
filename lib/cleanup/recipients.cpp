// recipients: canonical_maps, the copies, virtual_alias_maps, duplicate_filter_limit; in this order.
#include "cleanup/recipients.h"

#include "base/text.h"

#include <fmt/format.h>

namespace cleanup {

void Recipients::keep(spool::Recipient recipient)
{
    if (!rules_.config.enable_original_recipient) recipient.original.clear();
    // Recipients that became one and were different are kept apart: X-Original-To tells each why it came.
    std::string key = base::lower(fmt::format("{}\n{}\n{}\n{}", recipient.dsn_original, recipient.notify, recipient.original, recipient.address));
    auto limit = static_cast<size_t>(rules_.config.duplicate_filter_limit);
    if (limit > 0 && seen_.size() >= limit) {
        if (seen_.contains(key)) return;
    } else if (!seen_.insert(std::move(key)).second) {
        return;
    }
    kept_.push_back(std::move(recipient));
}

void Recipients::expand(spool::Recipient recipient)
{
    if (!duties_.mappings) return keep(std::move(recipient));
    for (std::string& address : rules_.addresses.expand_virtual(recipient.address)) {
        spool::Recipient expanded = recipient;
        expanded.address = std::move(address);
        keep(std::move(expanded));
    }
}

void Recipients::add_copy_from(maps::Maps& table, const std::string& address)
{
    if (!duties_.copies || table.empty() || address.empty()) return;
    if (auto hit = maps::find_address(table, address, rules_.search)) add_copy(hit->value);
}

void Recipients::add_copy_of_sender(const std::string& sender) { add_copy_from(rules_.sender_bcc, sender); }

void Recipients::add(spool::Recipient recipient)
{
    if (duties_.mappings) recipient.address = rules_.addresses.canonical(recipient.address, routing::Place::envelope_recipient);
    last_ = recipient.address;
    expand(std::move(recipient));
    add_copy_from(rules_.recipient_bcc, last_);
}

void Recipients::remove(std::string_view address)
{
    std::erase_if(kept_, [&](const spool::Recipient& known) {
        return base::same_word(known.original, address) || base::same_word(known.address, address);
    });
    // It may come back.
    seen_.clear();
}

void Recipients::add_copy(const std::string& address)
{
    spool::Recipient copy;
    copy.original = std::string(base::trim(address));
    copy.notify = spool::notify_never;
    copy.address = rules_.router.rewrite(copy.original);
    if (copy.address.empty()) return;
    if (duties_.mappings) copy.address = rules_.addresses.canonical(copy.address, routing::Place::envelope_recipient);
    expand(std::move(copy));
}

} // namespace cleanup
