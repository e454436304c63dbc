// encoded_word_fuzz: any bytes as a header value and as a parameter list; what comes out is UTF-8 without line ends.
#include "base/text.h"
#include "mail/charset.h"
#include "mail/encoded_word.h"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const std::string decoded = mail::decode_words(text);
    if (!base::is_utf8(decoded) || decoded.find('\n') != std::string::npos) std::abort();
    if (mail::decode_words(mail::encode_words(decoded)) != decoded) std::abort();
    for (const mail::Parameter& parameter : mail::parse_parameters(text)) mail::write_parameter("x", parameter.value);
    for (std::string_view charset : {"euc-kr", "iso-2022-kr", "iso-2022-jp", "utf-7", "gb18030"})
        if (const auto out = mail::to_utf8(text, charset); out && !base::is_utf8(*out)) std::abort();
    return 0;
}
