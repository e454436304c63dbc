// milter_settings: smtpd_milters and its kin, read once: which milters are asked, how long they may take, what they are told.
#pragma once

#include "config/config.h"
#include "maps/map.h"
#include "milter/session.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace smtpd {

class MilterSettings {
public:
    using Services = std::vector<milter::Service>;

    // letterbox: non_smtpd_milters. A milter whose setting is wrong is one that cannot be reached; the log says why.
    MilterSettings(const config::Config& config, bool letterbox);

    bool any() const { return !services_.empty() || !by_client_.empty(); }
    bool needs_internet() const;
    // smtpd_milter_maps, else smtpd_milters. The answer lives as long as this. Throws maps::Unavailable.
    const Services& for_client(const std::string& address);
    const std::string& daemon_name() const { return daemon_name_; }
    // milter_macro_defaults; null: none for this name.
    const std::string* default_value(std::string_view name) const;

private:
    const config::Config& config_;
    Services services_;
    maps::Maps by_client_;
    std::map<std::string, Services> named_;         // by the text in a table
    std::map<std::string, std::string, std::less<>> defaults_;
    std::string daemon_name_;
};

// The milters of a list: "inet:host:port", "unix:path", or "{ inet:host:port, connect_timeout=10s, default_action=accept … }".
// Throws config::Error that says what is wrong.
MilterSettings::Services read_milters(const config::Config& config, std::string_view list);

} // namespace smtpd
