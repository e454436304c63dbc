// aliases_fuzz: /etc/aliases, .forward and :include: files, as hostile text.
#include "maps/aliases_text.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size)
{
    std::string_view text(reinterpret_cast<const char*>(data), size);
    for (const maps::Entry& entry : maps::parse_aliases(text).entries) {
        if (entry.key.empty() || entry.value.empty()) std::abort();
        maps::parse_alias_value(entry.value);
    }
    for (const maps::AliasMember& member : maps::parse_alias_list(text)) {
        if (member.text.empty()) std::abort();
    }
    maps::parse_alias_value(text);
    return 0;
}
