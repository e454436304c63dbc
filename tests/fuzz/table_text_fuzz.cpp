// table_text_fuzz: postmap's sources and rule tables, as hostile text.
#include "maps/rules_text.h"
#include "maps/table_text.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size)
{
    std::string_view text(reinterpret_cast<const char*>(data), size);
    for (const maps::Entry& entry : maps::parse_table(text).entries) {
        if (entry.key.empty() || entry.value.empty()) std::abort();
    }
    for (auto style : {maps::RuleStyle::delimited, maps::RuleStyle::words}) {
        int depth = 0;
        for (const maps::Rule& rule : maps::parse_rules(text, style).rules) {
            depth += rule.kind == maps::Rule::Kind::begin_if;
            depth -= rule.kind == maps::Rule::Kind::end_if;
            if (depth < 0) std::abort();
        }
        if (depth != 0) std::abort();
    }
    if (auto members = maps::split_braces(text)) maps::parse_rules(*members, maps::RuleStyle::delimited);
    maps::split_equals(text);
    return 0;
}
