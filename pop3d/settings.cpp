#include "settings.h"

#include "base/log.h"

#include <algorithm>
#include <array>

namespace pop3d {
namespace {

constexpr std::array<std::string_view, 10> logout_variables = {"t", "p", "r", "b", "d", "m", "s", "i", "o", "deleted_bytes"};

void read_format(PercentFormat& format, PercentFormat (*parse)(std::string_view), const char* parameter, const std::string& text)
{
    try {
        format = parse(text);
    } catch (const BadFormat& fault) {
        base::log::warning("{}: {}; the default is used", parameter, fault.what());
    }
}

void read_deletion(Settings& settings, const config::Config& config)
{
    const std::string& type = config.pop3_delete_type;
    if (type != "default" && type != "expunge" && type != "flag")
        base::log::warning("pop3_delete_type: expected default, expunge or flag, not \"{}\"", type);
    settings.deleted_flag = config.pop3_deleted_flag;
    settings.delete_by_flag = type == "flag" || (type != "expunge" && !settings.deleted_flag.empty());
    if (settings.delete_by_flag && settings.deleted_flag.empty()) settings.deleted_flag = "$POP3Deleted";
}

void read_workarounds(Settings& settings, const config::Config& config)
{
    for (const auto& word : config.pop3_client_workarounds) {
        if (word == "outlook-no-nuls") settings.no_nuls = true;
        else if (word == "oe-ns-eoh") settings.end_headers = true;
        else base::log::warning("pop3_client_workarounds: \"{}\" is not known; expected outlook-no-nuls or oe-ns-eoh", word);
    }
}

} // namespace

PercentFormat logout_format(std::string_view text) { return PercentFormat(text, logout_variables); }

Settings settings_from(const config::Config& config)
{
    Settings settings;
    settings.timeout = config.pop3d_timeout;
    settings.locks.attempts = static_cast<int>(config.deliver_lock_attempts);
    settings.locks.delay = config.deliver_lock_delay;
    settings.locks.stale = config.stale_lock_time;
    settings.lock_session = config.pop3_lock_session;
    settings.flag_updates = !config.pop3_no_flag_updates;
    settings.last = config.pop3_enable_last;
    settings.fast_sizes = config.pop3_fast_size_lookups;
    settings.unique_ids.reuse_xuidl = config.pop3_reuse_xuidl;
    read_format(settings.unique_ids.format, unique_id_format, "pop3_uidl_format", config.pop3_uidl_format);
    read_format(settings.at_end, logout_format, "pop3_logout_format", config.pop3_logout_format);
    read_deletion(settings, config);
    read_workarounds(settings, config);
    return settings;
}

} // namespace pop3d
