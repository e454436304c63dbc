// sendmail_address_test: sendmail -bt: questions on standard input, one a line, answered from the tables that are in force.
#pragma once

#include "config/config.h"

namespace sendmail {

// Until the end of standard input, or /quit. recipients: asked first, without a dialogue when there are any.
int test_addresses(const config::Config& config, const std::vector<std::string>& recipients, const std::string& sender);

} // namespace sendmail
