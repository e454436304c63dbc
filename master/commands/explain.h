// explain: the way of an address through rewriting, aliases and routing, step by step, with the table lines that decided; for
// rookpost explain and sendmail -bt. Blocking.
#pragma once

#include "config/config.h"
#include "routing/address_maps.h"
#include "routing/recipients.h"
#include "routing/router.h"

#include <string>
#include <string_view>
#include <vector>

namespace commands {

// Where mail for an address ends up.
struct End {
    std::string address;
    routing::Route route;
    bool known = true;          // as far as tables tell
    std::string why_not;        // "User unknown in virtual mailbox table"
};

struct Explanation {
    std::string text;           // lines for people
    std::vector<End> ends;
};

std::string_view class_name(routing::AddressClass address_class);

class Explainer {
public:
    // config must outlive it.
    explicit Explainer(const config::Config& config);

    // Address and sender in internal form. Throws maps::Unavailable.
    Explanation explain(const std::string& address, const std::string& sender);
    std::string rewritten_sender(const std::string& sender);

private:
    struct Story;
    void follow(Story& story, const std::string& address);
    void tell_rewriting(Story& story, const std::string& address, std::vector<std::string>& next);
    void tell_aliases(Story& story, const std::string& address, std::vector<std::string>& next);

    const config::Config& config_;
    routing::Router router_;
    routing::AddressMaps addresses_;
    routing::Recipients recipients_;
    maps::Maps aliases_;
};

} // namespace commands
