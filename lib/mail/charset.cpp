// charset: conversion by ICU, with the names that mail uses for what ICU calls otherwise.
#include "mail/charset.h"

#include "base/text.h"

#include <unicode/ucnv.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <memory>

namespace mail {

namespace {

struct Alias {
    std::string_view name;
    const char* icu;
};
// Names whose users in truth write the larger set. The Korean ones are all written by programs that mean CP949.
constexpr Alias aliases[] = {
    {"euc-kr", "windows-949"},
    {"ks_c_5601-1987", "windows-949"},
    {"ks_c_5601-1989", "windows-949"},
    {"ks_c_5601", "windows-949"},
    {"ksc5601", "windows-949"},
    {"ksc_5601", "windows-949"},
    {"ks_x_1001", "windows-949"},
    {"korean", "windows-949"},
    {"cp949", "windows-949"},
    {"uhc", "windows-949"},
    {"x-windows-949", "windows-949"},
    {"ms949", "windows-949"},
    {"iso-8859-1", "windows-1252"},
    {"latin1", "windows-1252"},
    {"us-ascii", "windows-1252"},
    {"ascii", "windows-1252"},
    {"iso-8859-9", "windows-1254"},
    {"tis-620", "windows-874"},
    {"gb2312", "gb18030"},
    {"gbk", "gb18030"},
    {"x-gbk", "gb18030"},
    {"shift_jis", "ibm-943_P15A-2003"},
    {"shift-jis", "ibm-943_P15A-2003"},
    {"x-sjis", "ibm-943_P15A-2003"},
    {"unicode-1-1-utf-7", "utf-7"},
    {"utf8", "utf-8"},
    {"utf8mb4", "utf-8"},
};

struct Close {
    void operator()(UConverter* converter) const { ucnv_close(converter); }
};
using Converter = std::unique_ptr<UConverter, Close>;

// ICU reads options and package names out of a charset's name; a peer's word gets no such say.
bool is_plain_name(std::string_view name)
{
    return !name.empty() && name.size() <= 40 && std::all_of(name.begin(), name.end(), [](char c) {
        return base::is_alnum(c) || c == '-' || c == '_' || c == '.' || c == ':' || c == '+';
    });
}

Converter open_converter(std::string_view charset)
{
    charset = base::trim(charset);
    if (!is_plain_name(charset)) return {};
    std::string name = base::lower(charset);
    for (const Alias& alias : aliases)
        if (name == alias.name) name = alias.icu;
    UErrorCode status = U_ZERO_ERROR;
    Converter converter(ucnv_open(name.c_str(), &status));
    return U_FAILURE(status) ? Converter() : std::move(converter);
}

std::string_view cut_utf8(std::string_view text, size_t limit)
{
    if (text.size() <= limit) return text;
    while (limit > 0 && (text[limit] & 0xc0) == 0x80) --limit;
    return text.substr(0, limit);
}

bool is_utf8_name(std::string_view charset)
{
    charset = base::trim(charset);
    return base::same_word(charset, "utf-8") || base::same_word(charset, "utf8");
}

std::string convert(std::string_view bytes, UConverter* converter, size_t limit)
{
    bytes = bytes.substr(0, std::min<size_t>(limit, 1 << 29));
    UErrorCode status = U_ZERO_ERROR;
    const icu::UnicodeString text(bytes.data(), static_cast<int32_t>(bytes.size()), converter, status);
    std::string out;
    text.toUTF8String(out);
    out.resize(cut_utf8(out, limit).size());
    return out;
}

} // namespace

bool known_charset(std::string_view charset) { return open_converter(charset) != nullptr; }

std::optional<std::string> to_utf8(std::string_view bytes, std::string_view charset, size_t limit)
{
    if (is_utf8_name(charset) && base::is_utf8(bytes)) return std::string(cut_utf8(bytes, limit));
    const Converter converter = open_converter(charset);
    if (!converter) return std::nullopt;
    // RFC 1557 2: the designator stands once at the start of the text; pieces cut out of headers lack it.
    constexpr std::string_view designator = "\x1b$)C";
    if (base::same_word(base::trim(charset), "iso-2022-kr") && bytes.substr(0, 4) != designator)
        return convert(std::string(designator) + std::string(bytes.substr(0, limit)), converter.get(), limit);
    return convert(bytes, converter.get(), limit);
}

std::string guess_to_utf8(std::string_view bytes)
{
    if (base::is_utf8(bytes)) return std::string(bytes);
    auto korean = to_utf8(bytes, "windows-949");
    if (korean && korean->find("\xef\xbf\xbd") == std::string::npos) return std::move(*korean);
    return to_utf8(bytes, "windows-1252").value_or(std::string());
}

std::optional<std::string> from_utf8(std::string_view text, std::string_view charset)
{
    if (is_utf8_name(charset)) return std::string(text);
    const Converter converter = open_converter(charset);
    if (!converter || text.size() > size_t{1} << 28) return std::nullopt;
    UErrorCode status = U_ZERO_ERROR;
    ucnv_setFromUCallBack(converter.get(), UCNV_FROM_U_CALLBACK_STOP, nullptr, nullptr, nullptr, &status);
    const auto unicode = icu::UnicodeString::fromUTF8({text.data(), static_cast<int32_t>(text.size())});
    std::string out(
        static_cast<size_t>(UCNV_GET_MAX_BYTES_FOR_STRING(unicode.length(), ucnv_getMaxCharSize(converter.get()))),
        '\0');
    const int32_t length = ucnv_fromUChars(converter.get(), out.data(), static_cast<int32_t>(out.size()),
                                           unicode.getBuffer(), unicode.length(), &status);
    if (U_FAILURE(status)) return std::nullopt;
    out.resize(static_cast<size_t>(length));
    return out;
}

} // namespace mail
