// rules: auth's rules out of main.cf.
#pragma once

#include "config/config.h"
#include "context.h"

namespace auth {

Rules rules_of(const config::Config& config);

} // namespace auth
