#include "wire.h"

#include "base/text.h"
#include "store/utf7.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace imapd {

namespace {

constexpr size_t piece_size = 32 << 10;
constexpr size_t longest_quoted = 1000;

bool quotable(std::string_view text)
{
    return text.size() <= longest_quoted &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > 0 && c != '\r' && c != '\n'; });
}

} // namespace

void put_string(std::string& out, std::string_view text)
{
    if (quotable(text)) {
        out += '"';
        for (char c : text) {
            if (c == '"' || c == '\\') out += '\\';
            out += c;
        }
        out += '"';
        return;
    }
    // RFC 3501 9: CHAR8 is any octet except NUL.
    std::string clean;
    if (text.find('\0') != std::string_view::npos) {
        clean = text;
        std::erase(clean, '\0');
        text = clean;
    }
    out += fmt::format("{{{}}}\r\n", text.size());
    out += text;
}

void put_nstring(std::string& out, const std::optional<std::string>& text)
{
    if (text)
        put_string(out, *text);
    else
        out += "NIL";
}

void put_astring(std::string& out, std::string_view text)
{
    bool atom = !text.empty() && !base::same_word(text, "NIL") && std::all_of(text.begin(), text.end(), is_atom_char);
    if (atom)
        out += text;
    else
        put_string(out, text);
}

std::string wire_name(std::string_view mailbox, bool utf8)
{
    std::string out;
    if (utf8 && !base::is_ascii(mailbox)) {
        // RFC 9051 9: QUOTED-CHAR takes UTF-8. Names have no control characters.
        out += '"';
        for (char c : mailbox) {
            if (c == '"' || c == '\\') out += '\\';
            out += c;
        }
        return out + '"';
    }
    if (utf8) {
        put_astring(out, mailbox);
        return out;
    }
    put_astring(out, store::to_utf7(mailbox));
    return out;
}

WirePlace advance(std::string_view bytes, WirePlace at, uint64_t target)
{
    while (at.raw < bytes.size() && at.wire < target) {
        size_t reach = std::min<uint64_t>(target - at.wire, bytes.size() - at.raw);
        const void* found = std::memchr(bytes.data() + at.raw, '\n', reach);
        size_t step = found ? static_cast<size_t>(static_cast<const char*>(found) - bytes.data() - at.raw) : reach;
        at.raw += step;
        at.wire += step;
        if (!found) continue;
        uint64_t width = at.raw > 0 && bytes[at.raw - 1] == '\r' ? 1 : 2;
        if (at.wire + width > target) break;
        at.raw += 1;
        at.wire += width;
    }
    return at;
}

void append_wire(std::string& out, std::string_view bytes, size_t from, size_t to)
{
    while (from < to) {
        const void* found = std::memchr(bytes.data() + from, '\n', to - from);
        if (!found) break;
        size_t line_end = static_cast<size_t>(static_cast<const char*>(found) - bytes.data());
        out.append(bytes, from, line_end - from);
        bool has_cr = line_end > 0 && bytes[line_end - 1] == '\r';
        out += has_cr ? "\n" : "\r\n";
        from = line_end + 1;
    }
    out.append(bytes, from, to - from);
}

void hide_nuls(std::string& text)
{
    if (text.find('\0') != std::string::npos) std::replace(text.begin(), text.end(), '\0', '\x80');
}

async::Task<WirePlace> send_part(Client& client, WirePart part)
{
    WirePlace at = advance(part.bytes, part.start, part.skip);
    uint64_t end = part.skip + part.count;
    uint64_t sent = part.skip;
    std::string piece;
    while (sent < end && at.raw < part.bytes.size()) {
        WirePlace next = advance(part.bytes, at, std::min(end, std::max(at.wire, sent) + piece_size));
        // Only half of a line end is wanted: its CR comes now, and the place stays before it.
        bool half = next.raw == at.raw;
        piece.clear();
        append_wire(piece, part.bytes, at.raw, half ? at.raw + 1 : next.raw);
        hide_nuls(piece);
        std::string_view view(piece);
        view.remove_prefix(sent - at.wire);
        view = view.substr(0, end - sent);
        co_await client.send(view);
        sent += view.size();
        if (!half) at = next;
        if (half && sent == at.wire + 2) at = {at.raw + 1, sent};
    }
    co_return at;
}

} // namespace imapd
