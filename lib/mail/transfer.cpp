// transfer: base64 and quoted-printable, read as leniently as mail programs must, written by the book.
#include "mail/transfer.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace mail {

namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr auto make_values()
{
    std::array<int8_t, 256> values{};
    for (auto& value : values) value = -1;
    for (size_t i = 0; i < alphabet.size(); ++i)
        values[static_cast<unsigned char>(alphabet[i])] = static_cast<int8_t>(i);
    return values;
}
constexpr auto values = make_values();

int hex_value(char c)
{
    if (base::is_digit(c)) return c - '0';
    const char low = base::lower(c);
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

constexpr bool is_plain(char c) { return (c >= ' ' && c <= '~' && c != '=') || c == '\t'; }

void append_line_qp(std::string& out, std::string_view line)
{
    size_t width = 0;
    for (size_t i = 0; i < line.size(); ++i) {
        const bool last = i + 1 == line.size();
        // RFC 2045 6.7 (3): no space at the end of a line. And no "From " or lone dot at its start, which mbox and SMTP
        // would touch.
        const bool fragile =
            (last && (line[i] == ' ' || line[i] == '\t')) || (width == 0 && (line[i] == '.' || line[i] == 'F'));
        const bool plain = is_plain(line[i]) && !fragile;
        if (width + (plain ? 1 : 3) > (last ? 76u : 75u)) {
            out.append("=\r\n");
            width = 0;
            --i;
            continue;
        }
        if (plain) {
            out.push_back(line[i]);
            ++width;
        } else {
            constexpr std::string_view digits = "0123456789ABCDEF";
            const auto byte = static_cast<unsigned char>(line[i]);
            out.push_back('=');
            out.push_back(digits[byte >> 4]);
            out.push_back(digits[byte & 15]);
            width += 3;
        }
    }
}

} // namespace

std::optional<std::string> decode_transfer(std::string_view body, std::string_view encoding, size_t limit)
{
    encoding = base::trim(encoding);
    if (base::same_word(encoding, "base64")) return decode_base64_lenient(body, limit);
    if (base::same_word(encoding, "quoted-printable")) return decode_quoted_printable(body, limit);
    for (std::string_view plain : {"", "7bit", "8bit", "binary"})
        if (base::same_word(encoding, plain)) return std::string(body.substr(0, limit));
    return std::nullopt;
}

std::string decode_base64_lenient(std::string_view text, size_t limit)
{
    std::string out;
    out.reserve(std::min(text.size() / 4 * 3 + 3, limit));
    uint32_t bits = 0;
    int count = 0;
    for (char c : text) {
        if (out.size() >= limit) break;
        const int8_t value = values[static_cast<unsigned char>(c)];
        if (value < 0) {
            // Padding ends a group; what follows is another text put behind the first one.
            if (c == '=') bits = 0, count = 0;
            continue;
        }
        bits = bits << 6 | static_cast<uint32_t>(value);
        count += 6;
        if (count >= 8) {
            count -= 8;
            out.push_back(static_cast<char>(bits >> count & 0xff));
        }
    }
    return out;
}

std::string decode_quoted_printable(std::string_view text, size_t limit)
{
    std::string out;
    out.reserve(std::min(text.size(), limit));
    while (!text.empty() && out.size() < limit) {
        const size_t lf = text.find('\n');
        std::string_view line = text.substr(0, lf);
        text.remove_prefix(lf == std::string_view::npos ? text.size() : lf + 1);
        const bool crlf = !line.empty() && line.back() == '\r';
        // RFC 2045 6.7 (3): space at the end of a line was added on the way.
        while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t'))
            line.remove_suffix(1);
        const bool soft = !line.empty() && line.back() == '=';
        if (soft) line.remove_suffix(1);
        for (size_t i = 0; i < line.size() && out.size() < limit; ++i) {
            const int high = line[i] == '=' && i + 2 < line.size() ? hex_value(line[i + 1]) : -1;
            const int low = high >= 0 ? hex_value(line[i + 2]) : -1;
            out.push_back(low >= 0 ? static_cast<char>(high * 16 + low) : line[i]);
            if (low >= 0) i += 2;
        }
        if (!soft && lf != std::string_view::npos) out.append(crlf ? "\r\n" : "\n");
    }
    if (out.size() > limit) out.resize(limit);
    return out;
}

std::string encode_base64_lines(std::string_view bytes)
{
    std::string out;
    out.reserve(bytes.size() / 57 * 78 + 80);
    for (; !bytes.empty(); bytes.remove_prefix(std::min<size_t>(57, bytes.size())))
        out.append(base::to_base64(bytes.substr(0, 57))).append("\r\n");
    return out;
}

std::string encode_quoted_printable(std::string_view text)
{
    std::string out;
    out.reserve(text.size() + text.size() / 8);
    while (!text.empty()) {
        const size_t lf = text.find('\n');
        std::string_view line = text.substr(0, lf);
        text.remove_prefix(lf == std::string_view::npos ? text.size() : lf + 1);
        if (!line.empty() && lf != std::string_view::npos && line.back() == '\r') line.remove_suffix(1);
        append_line_qp(out, line);
        if (lf != std::string_view::npos) out.append("\r\n");
    }
    return out;
}

} // namespace mail
