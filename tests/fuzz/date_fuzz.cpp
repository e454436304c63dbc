// date_fuzz: any bytes as a date; what is read must survive writing and reading again.
#include "mail/date.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto date = mail::parse_date(text))
        if (mail::parse_date(mail::write_date(*date)) != date) std::abort();
    if (const auto date = mail::parse_imap_date(text))
        if (mail::parse_imap_date(mail::write_imap_date(*date)) != date) std::abort();
    mail::parse_imap_day(text);
    return 0;
}
