#include "settings.h"

namespace pop3d {

Settings settings_from(const config::Config& config)
{
    Settings settings;
    settings.timeout = config.pop3d_timeout;
    settings.locks.attempts = static_cast<int>(config.deliver_lock_attempts);
    settings.locks.delay = config.deliver_lock_delay;
    settings.locks.stale = config.stale_lock_time;
    return settings;
}

} // namespace pop3d
