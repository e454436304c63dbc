#include "settings.h"

namespace imapd {

Settings settings_from(const config::Config& config)
{
    Settings settings;
    settings.timeout = config.imapd_timeout;
    settings.idle_limit = config.imapd_idle_limit;
    settings.max_line = static_cast<size_t>(config.imapd_max_line);
    settings.message_size_limit = static_cast<uint64_t>(config.message_size_limit);
    settings.locks.attempts = static_cast<int>(config.deliver_lock_attempts);
    settings.locks.delay = config.deliver_lock_delay;
    settings.locks.stale = config.stale_lock_time;
    return settings;
}

} // namespace imapd
