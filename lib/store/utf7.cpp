#include "store/utf7.h"

#include <array>
#include <cstdint>

namespace store {

namespace {

// RFC 3501 5.1.3: base64 with ',' instead of '/', and no padding.
constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

constexpr bool direct(char c) { return c >= 0x20 && c <= 0x7e; }

// The code point at the front of text, which is shortened by it; U+FFFD for a broken byte.
char32_t take_utf8(std::string_view& text)
{
    auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
    unsigned char first = byte(0);
    size_t length = first < 0x80 ? 1 : first >= 0xf0 && first < 0xf5 ? 4 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xc2 && first < 0xe0 ? 2 : 0;
    constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    char32_t code = length < 2 ? first : first & (0x7f >> length);
    bool good = length > 0 && length <= text.size();
    for (size_t i = 1; good && i < length; ++i) {
        good = (byte(i) & 0xc0) == 0x80;
        code = code << 6 | (byte(i) & 0x3f);
    }
    good = good && code >= least[length] && code <= 0x10ffff && !(code >= 0xd800 && code < 0xe000);
    text.remove_prefix(good ? length : 1);
    return good ? code : 0xfffd;
}

void put_utf8(std::string& out, char32_t code)
{
    auto put = [&](char32_t byte) { out += static_cast<char>(byte); };
    if (code < 0x80) return put(code);
    if (code < 0x800) put(0xc0 | code >> 6);
    else if (code < 0x10000) put(0xe0 | code >> 12), put(0x80 | (code >> 6 & 0x3f));
    else put(0xf0 | code >> 18), put(0x80 | (code >> 12 & 0x3f)), put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
}

class Encoder {
public:
    explicit Encoder(std::string& out) : out_(out) { out_ += '&'; }
    void put(char32_t code)
    {
        if (code < 0x10000) return unit(code);
        unit(0xd800 + ((code - 0x10000) >> 10));
        unit(0xdc00 + ((code - 0x10000) & 0x3ff));
    }
    void finish()
    {
        if (count_ > 0) out_ += alphabet[bits_ << (6 - count_) & 63];
        out_ += '-';
    }

private:
    void unit(uint32_t value)
    {
        bits_ = (bits_ & 0x3f) << 16 | value;
        count_ += 16;
        for (; count_ >= 6; count_ -= 6) out_ += alphabet[bits_ >> (count_ - 6) & 63];
    }
    std::string& out_;
    uint32_t bits_ = 0;
    unsigned count_ = 0;
};

bool decode_shift(std::string_view coded, std::string& out)
{
    uint32_t bits = 0, high = 0;
    unsigned count = 0;
    for (char c : coded) {
        size_t value = alphabet.find(c);
        if (value == std::string_view::npos) return false;
        bits = (bits << 6 | static_cast<uint32_t>(value)) & 0x3fffff;
        count += 6;
        if (count < 16) continue;
        count -= 16;
        uint32_t unit = bits >> count & 0xffff;
        if (unit >= 0xd800 && unit < 0xdc00) {
            if (high) return false;
            high = unit;
        } else if (unit >= 0xdc00 && unit < 0xe000) {
            if (!high) return false;
            put_utf8(out, 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00));
            high = 0;
        } else {
            if (high) return false;
            put_utf8(out, unit);
        }
    }
    return high == 0;
}

} // namespace

std::string to_utf7(std::string_view utf8)
{
    std::string out;
    while (!utf8.empty()) {
        if (utf8[0] == '&') {
            out += "&-";
            utf8.remove_prefix(1);
        } else if (direct(utf8[0])) {
            out += utf8[0];
            utf8.remove_prefix(1);
        } else {
            Encoder encoder(out);
            while (!utf8.empty() && !direct(utf8[0])) encoder.put(take_utf8(utf8));
            encoder.finish();
        }
    }
    return out;
}

std::optional<std::string> from_utf7(std::string_view text)
{
    std::string out;
    for (size_t at = 0; at < text.size();) {
        if (!direct(text[at])) return std::nullopt;
        if (text[at] != '&') {
            out += text[at++];
            continue;
        }
        size_t end = text.find('-', at);
        if (end == std::string_view::npos) return std::nullopt;
        if (end == at + 1) out += '&';
        else if (!decode_shift(text.substr(at + 1, end - at - 1), out)) return std::nullopt;
        at = end + 1;
    }
    if (to_utf7(out) != text) return std::nullopt;
    return out;
}

} // namespace store
