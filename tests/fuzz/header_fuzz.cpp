// header_fuzz: any bytes as a message's header; fields lie within it, in order, and folding adds no field.
#include "mail/envelope.h"
#include "mail/header.h"
#include "mail/message_id.h"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const char* last = text.data();
    for (const mail::Field& field : mail::Fields(text)) {
        if (field.whole.data() < last) std::abort();
        last = field.whole.data() + field.whole.size();
        if (last > text.data() + text.size() || field.value.data() + field.value.size() > last) std::abort();
        const std::string folded = mail::fold_field("X", field.value);
        size_t count = 0;
        for (const mail::Field& again : mail::Fields(folded)) count += again.whole.size() == folded.size();
        if (count != 1) std::abort();
    }
    const auto end = mail::header_end(text);
    if (end.fields_end > end.body || end.body > text.size()) std::abort();
    mail::header_end(text, mail::BadLine::ends_header);
    mail::parse_envelope(text);
    mail::parse_message_ids(text);
    return 0;
}
