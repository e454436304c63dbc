// dot_qmail_fuzz: .qmail files, the names that an extension looks for, and what programs write.
#include "qmail/dot_qmail.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size)
{
    std::string_view text(reinterpret_cast<const char*>(data), size);
    for (bool forwards_only : {false, true}) {
        auto file = local_delivery::parse_dot_qmail(text, forwards_only);
        for (const auto& line : file.lines) {
            if (line.text.find_first_of(std::string_view("\n\0", 2)) != line.text.npos) std::abort();
            if (forwards_only && line.kind != local_delivery::QmailLine::Kind::forward) std::abort();
        }
    }
    for (const auto& name : local_delivery::qmail_names(text.substr(0, 200)))
        if (name.name.find('/') != name.name.npos || name.name.substr(1).find('.') != name.name.npos) std::abort();
    local_delivery::qmail_status(text, '5');
    return 0;
}
