// encodings: base64, hexadecimal and xtext, as declared in text.h.
#include "base/text.h"

#include <array>

namespace base {
namespace {

constexpr std::string_view base64_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view hex_alphabet = "0123456789ABCDEF";

constexpr std::array<int8_t, 256> make_reverse(std::string_view alphabet)
{
    std::array<int8_t, 256> table{};
    for (auto& entry : table) entry = -1;
    for (size_t i = 0; i < alphabet.size(); ++i) table[static_cast<unsigned char>(alphabet[i])] = static_cast<int8_t>(i);
    return table;
}
constexpr auto base64_value = make_reverse(base64_alphabet);

int hex_value(char c)
{
    if (is_digit(c)) return c - '0';
    char l = lower(c);
    return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

} // namespace

std::string to_base64(std::string_view bytes)
{
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (size_t i = 0; i < bytes.size(); i += 3) {
        size_t left = bytes.size() - i;
        auto byte = [&](size_t k) -> uint32_t { return k < left ? static_cast<unsigned char>(bytes[i + k]) : 0; };
        uint32_t group = byte(0) << 16 | byte(1) << 8 | byte(2);
        out += base64_alphabet[group >> 18];
        out += base64_alphabet[group >> 12 & 63];
        out += left > 1 ? base64_alphabet[group >> 6 & 63] : '=';
        out += left > 2 ? base64_alphabet[group & 63] : '=';
    }
    return out;
}

std::optional<std::string> from_base64(std::string_view text)
{
    if (text.size() % 4 != 0) return std::nullopt;
    std::string out;
    out.reserve(text.size() / 4 * 3);
    for (size_t i = 0; i < text.size(); i += 4) {
        size_t padding = 0;
        if (i + 4 == text.size()) padding = text[i + 3] != '=' ? 0 : text[i + 2] == '=' ? 2 : 1;
        uint32_t group = 0;
        for (size_t k = 0; k < 4; ++k) {
            int value = k >= 4 - padding ? 0 : base64_value[static_cast<unsigned char>(text[i + k])];
            if (value < 0) return std::nullopt;
            group = group << 6 | static_cast<uint32_t>(value);
        }
        out += static_cast<char>(group >> 16);
        if (padding < 2) out += static_cast<char>(group >> 8 & 255);
        if (padding < 1) out += static_cast<char>(group & 255);
    }
    return out;
}

std::string to_hex(std::string_view bytes)
{
    std::string out;
    for (unsigned char c : bytes) {
        out += base::lower(hex_alphabet[c >> 4]);
        out += base::lower(hex_alphabet[c & 15]);
    }
    return out;
}

std::optional<std::string> from_hex(std::string_view text)
{
    if (text.size() % 2 != 0) return std::nullopt;
    std::string out;
    for (size_t i = 0; i < text.size(); i += 2) {
        int high = hex_value(text[i]), low = hex_value(text[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        out += static_cast<char>(high << 4 | low);
    }
    return out;
}

std::string to_xtext(std::string_view text)
{
    std::string out;
    for (unsigned char c : text) {
        if (c > 32 && c < 127 && c != '+' && c != '=') {
            out += static_cast<char>(c);
        } else {
            out += '+';
            out += hex_alphabet[c >> 4];
            out += hex_alphabet[c & 15];
        }
    }
    return out;
}

std::optional<std::string> from_xtext(std::string_view text)
{
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c <= 32 || c >= 127 || c == '=') return std::nullopt;
        if (c != '+') {
            out += c;
            continue;
        }
        // RFC 3461 4: hexchar is "+" and two upper case hexadecimal digits.
        if (i + 2 >= text.size()) return std::nullopt;
        auto byte = from_hex(text.substr(i + 1, 2));
        if (!byte) return std::nullopt;
        out += *byte;
        i += 2;
    }
    return out;
}

} // namespace base
