// milter_fuzz: any bytes as a milter's answer.
#include "milter/protocol.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    try {
        milter::read_answer(text);
    } catch (const milter::Malformed&) {
    }
    try {
        milter::read_agreement(text, milter::offer_of(6));
    } catch (const milter::Malformed&) {
    }
    return 0;
}
