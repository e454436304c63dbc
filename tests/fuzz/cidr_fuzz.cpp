// cidr_fuzz: networks, match lists and address searches, as hostile text.
#include "maps/address_search.h"
#include "maps/matchlist.h"
#include "maps/network.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size)
{
    std::string_view text(reinterpret_cast<const char*>(data), size);
    auto parsed = maps::Network::parse(text);
    if (parsed.network.has_value() != parsed.error.empty()) std::abort();
    if (auto address = maps::Address::parse(text)) {
        if (parsed.network && !parsed.network->contains(*address)) std::abort();
        address->unmapped();
    }
    maps::split_list(text);
    auto parts = maps::split_address(text);
    auto again = maps::split_address(maps::join_address(parts));
    if (again.local != parts.local || again.domain != parts.domain) std::abort();
    maps::Maps tables({"inline:{a=b}"});
    maps::AddressSearch search;
    search.forms = ~0u;
    search.extension.delimiters = "+-";
    search.is_local = [](std::string_view) { return true; };
    maps::find_address(tables, text, search);
    maps::find_network(tables, text);
    return 0;
}
