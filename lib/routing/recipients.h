// recipients: whether a recipient is known, as far as tables can tell; what smtpd asks at RCPT. Addresses are in internal form.
#pragma once

#include "maps/address_search.h"
#include "maps/map.h"
#include "routing/router.h"

#include <string>
#include <string_view>

namespace routing {

class Recipients {
public:
    // Both must outlive it.
    Recipients(const config::Config& config, Router& router);

    // True too where nobody can know: other people's domains, and classes whose table is empty. Throws maps::Unavailable.
    bool exists(std::string_view address);
    // "User unknown in local recipient table" …, for the reply.
    std::string unknown_text(AddressClass address_class) const;

private:
    const config::Config& config_;
    Router& router_;
    maps::AddressSearch search_;
    maps::Maps rewriting_, local_, virtual_mailbox_, relay_;
};

// The tables of a list parameter, those that are alias databases read with their own grammar.
maps::Maps open_local_tables(const std::vector<std::string>& names, const config::Config& config);

} // namespace routing
