// wire: how strings and message bytes are written to the client.
#pragma once

#include "client.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace imapd {

void put_string(std::string& out, std::string_view text); // quoted, or a literal where that is needed
void put_nstring(std::string& out, const std::optional<std::string>& text);
void put_astring(std::string& out, std::string_view text);
// UTF-8 to an astring in modified UTF-7, or to a quoted string as it is.
std::string wire_name(std::string_view mailbox, bool utf8 = false);

// A place in bytes that go out with CRLF line ends: in the file, and on the wire. Where a lone LF becomes CRLF, the
// place between the two has the LF's raw.
struct WirePlace {
    uint64_t raw = 0, wire = 0;
};
// Goes on from a place to the last one at or before target (on the wire): at most one byte before.
WirePlace advance(std::string_view bytes, WirePlace from, uint64_t target);
// The bytes [from, to) with CRLF line ends, appended to out.
void append_wire(std::string& out, std::string_view bytes, size_t from, size_t to);

// RFC 3501 9: no literal has a NUL. Each becomes 0x80.
void hide_nuls(std::string& text);

// Part of some bytes, as it goes out: count octets after the first skip ones. start is a place at or before skip.
struct WirePart {
    std::string_view bytes;
    uint64_t skip = 0, count = 0;
    WirePlace start;
};
// In pieces, however large it is. Gives the place where it ended.
async::Task<WirePlace> send_part(Client& client, WirePart part);

} // namespace imapd
