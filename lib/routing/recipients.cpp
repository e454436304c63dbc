// recipients: whether a recipient is known, as far as tables can tell.
#include "routing/recipients.h"
#include "routing/address_search.h"

#include "base/text.h"
#include "config/config.h"
#include "mail/address.h"

#include <algorithm>

namespace routing {

namespace {

std::string_view without_proxy(std::string_view name)
{
    while (name.starts_with("proxy:")) name.remove_prefix(6);
    return name;
}

} // namespace

maps::Maps open_local_tables(const std::vector<std::string>& names, const config::Config& config)
{
    maps::Maps tables;
    for (const std::string& name : names) {
        auto is_this = [&](const std::string& other) { return without_proxy(other) == without_proxy(name); };
        bool aliases = std::any_of(config.alias_maps.begin(), config.alias_maps.end(), is_this) ||
                       std::any_of(config.alias_database.begin(), config.alias_database.end(), is_this);
        maps::Options options;
        options.syntax = aliases ? maps::Syntax::aliases : maps::Syntax::table;
        tables.add(name, options);
    }
    return tables;
}

Recipients::Recipients(const config::Config& config, Router& router)
    : config_(config), router_(router), search_(address_search(config, router.domains())), local_(open_local_tables(config.local_recipient_maps, config)),
      virtual_mailbox_(config.virtual_mailbox_maps), relay_(config.relay_recipient_maps)
{
    for (const auto* list : {&config.recipient_canonical_maps, &config.canonical_maps, &config.virtual_alias_maps}) {
        for (const std::string& name : *list) rewriting_.add(name);
    }
}

bool Recipients::exists(std::string_view address)
{
    AddressClass address_class = router_.classify(maps::split_address(address).domain);
    if (address_class == AddressClass::default_) return true;
    // Whoever is rewritten to somebody exists, whatever the class says.
    if (maps::find_address(rewriting_, address, search_)) return true;
    maps::Maps* tables = address_class == AddressClass::local             ? &local_
                         : address_class == AddressClass::virtual_mailbox ? &virtual_mailbox_
                         : address_class == AddressClass::relay           ? &relay_
                                                                          : nullptr;
    if (!tables) return false;
    // Others look whether the sender of our probes and notices exists: it does.
    if (tables == &local_ && base::same_word(mail::split_address(address).local, config_.double_bounce_sender)) return true;
    return tables->empty() || maps::find_address(*tables, address, search_).has_value();
}

std::string Recipients::unknown_text(AddressClass address_class) const
{
    std::string text = "User unknown";
    if (!config_.show_user_unknown_table_name) return text;
    switch (address_class) {
    case AddressClass::local: return text + " in local recipient table";
    case AddressClass::virtual_alias: return text + " in virtual alias table";
    case AddressClass::virtual_mailbox: return text + " in virtual mailbox table";
    case AddressClass::relay: return text + " in relay recipient table";
    case AddressClass::default_: break;
    }
    return text;
}

} // namespace routing
