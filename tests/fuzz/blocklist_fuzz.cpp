// blocklist_fuzz: "domain=d.d.d.d" of reject_rbl_client and its kin, from main.cf and from access tables.
#include "restrictions/blocklist.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
    auto list = smtpd::restrictions::Blocklist::parse({reinterpret_cast<const char*>(data), size});
    if (!list) return 0;
    if (!list->counts(*net::Address::parse_ip("127.0.0.2", 0)) && !list->filter) std::abort();
    list->counts(*net::Address::parse_ip("2001:db8::1", 0));
    return 0;
}
