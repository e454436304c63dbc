// certificates: notices that files of certificates and keys were renewed. The programs that use them have given up the
// right to read them, so they are started anew; sessions go on in the old ones.
#pragma once

#include "household.h"

#include <string>

namespace master {

// Looks every tls_certificate_check_time, for ever. household: longer-lived.
async::Task<> watch_certificates(Household& household, std::string folder);

} // namespace master
