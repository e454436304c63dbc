// fuzz: mbox files. Messages never overlap, sizes are those of what clients get, and new flags change nothing they see.
#include "store/line_ends.h"
#include "store/mbox_scan.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
    std::string_view text(reinterpret_cast<const char*>(data), size);
    store::MboxScan whole, pieces;
    whole.feed(text);
    for (size_t at = 0; at < size; at += 7) pieces.feed(text.substr(at, 7));
    std::vector<store::MboxMessage> messages = whole.finish(), others = pieces.finish();
    if (messages.size() != others.size()) std::abort();
    uint64_t before = 0;
    for (size_t i = 0; i < messages.size(); ++i) {
        const store::MboxMessage& m = messages[i];
        if (m.fingerprint != others[i].fingerprint || m.crlf_size != others[i].crlf_size) std::abort();
        if (m.start < before || m.header < m.start || m.body < m.header || m.end < m.body || m.next < m.end || m.next > size) std::abort();
        before = m.next;
        std::string_view header = text.substr(m.header, m.body - m.header), body = text.substr(m.body, m.end - m.body);
        std::string visible = store::visible_message(header, body);
        if (store::crlf_size(visible) != m.crlf_size) std::abort();
        std::string flagged = store::with_flag_headers(header, store::flag::system, {"a"});
        if (header.size() < m.body - m.header || store::visible_message(flagged, body).size() < visible.size()) std::abort();
    }
    return 0;
}
