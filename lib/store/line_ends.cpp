#include "store/line_ends.h"

#include <cstring>

namespace store {

void LfFilter::feed(std::string_view chunk, std::string& out)
{
    if (chunk.empty()) return;
    if (held_cr_ && chunk[0] != '\n') out += '\r';
    held_cr_ = false;
    while (!chunk.empty()) {
        const void* found = std::memchr(chunk.data(), '\r', chunk.size());
        if (!found) {
            out.append(chunk);
            return;
        }
        size_t at = static_cast<size_t>(static_cast<const char*>(found) - chunk.data());
        out.append(chunk.substr(0, at));
        if (at + 1 == chunk.size()) {
            held_cr_ = true;
            return;
        }
        if (chunk[at + 1] != '\n') out += '\r';
        chunk.remove_prefix(at + 1);
    }
}

void LfFilter::finish(std::string& out)
{
    if (held_cr_) out += '\r';
    held_cr_ = false;
}

void CrlfCounter::feed(std::string_view chunk)
{
    if (chunk.empty()) return;
    size_ += chunk.size();
    for (size_t at = chunk.find('\n'); at != std::string_view::npos; at = chunk.find('\n', at + 1)) {
        char before = at == 0 ? last_ : chunk[at - 1];
        if (before != '\r') ++size_;
    }
    last_ = chunk.back();
}

uint64_t crlf_size(std::string_view text)
{
    CrlfCounter counter;
    counter.feed(text);
    return counter.size();
}

std::string to_crlf(std::string_view text)
{
    std::string out;
    out.reserve(crlf_size(text));
    size_t from = 0;
    for (size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) {
        out.append(text.substr(from, at - from));
        if (at == 0 || text[at - 1] != '\r') out += '\r';
        out += '\n';
        from = at + 1;
    }
    out.append(text.substr(from));
    return out;
}

} // namespace store
