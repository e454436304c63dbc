// address_fuzz: any header value as an address list; what is read must survive writing and reading again.
#include "mail/address.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    for (const mail::Address& address : mail::parse_addresses(text)) {
        mail::write_address(address);
        if (address.kind != mail::Address::Kind::mailbox || address.local.empty()) continue;
        if (mail::unquote_local(mail::quote_local(address.local)) != address.local) std::abort();
    }
    mail::mailboxes(text);
    if (text.find('@') != std::string_view::npos && mail::to_internal(mail::to_external(text)) != text) std::abort();
    mail::split_external(text);
    mail::split_extension(text, "+-");
    mail::valid_domain(text, true);
    mail::to_unicode_domain(text);
    mail::fold_case(text);
    mail::valid_address_literal(text);
    return 0;
}
