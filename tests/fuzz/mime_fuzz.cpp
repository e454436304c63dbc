// mime_fuzz: any bytes as a message; every part lies within its parent and its sizes agree with its bytes.
#include "mail/mime.h"
#include "mail/transfer.h"

#include <cstdlib>

namespace {

void check(const mail::Part& part, std::string_view message, uint64_t begin, uint64_t end)
{
    if (part.header.offset < begin || part.header.offset + part.header.size != part.body.offset) std::abort();
    if (part.body.offset + part.body.size > end) std::abort();
    const auto size = mail::wire_size(part.body.of(message));
    if (size.octets != part.octets || size.lines != part.lines) std::abort();
    if (mail::wire_size(part.header.of(message)).octets != part.header_octets) std::abort();
    mail::decode_transfer(part.body.of(message), part.encoding, 10000);
    for (const mail::Part& child : part.parts)
        check(child, message, part.body.offset, part.body.offset + part.body.size);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
    const std::string_view message(reinterpret_cast<const char*>(data), size);
    check(mail::parse_mime(message, {.depth = 10, .parts = 100}), message, 0, size);
    const std::string coded = mail::encode_quoted_printable(message);
    if (mail::decode_quoted_printable(coded).size() < mail::wire_size(message).lines) std::abort();
    return 0;
}
